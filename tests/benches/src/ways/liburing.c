/* SPDX-License-Identifier: MIT OR Apache-2.0
 *
 * (e) The lower bound in C on liburing: a ring that reads the interrupt file and indexes an array.
 * It does what floor.rs does in Rust, and plays the hardware the same way: by a thread on CPU
 * number CPU, which answers after THINKS ns; or by the submitting thread, right after its call,
 * if CPU is -1.
 *
 *   liburing-floor DEPTH CPU THINKS
 *
 * plays a mailbox in memory. Each line "GAP WARM_UP COUNT" on standard input has it time WARM_UP +
 * COUNT requests, one every GAP ns, and write COUNT records of four 64-bit times in ns: call, return,
 * interrupt, callback.
 */
#define _GNU_SOURCE
#include <liburing.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

enum { ENTRIES = 4096, OTHERS = 1000 };

struct entry {
	_Atomic uint32_t tag, value;
};

/* The registers in use, where the mailbox has them. */
static struct {
	_Alignas(64) _Atomic uint32_t id, entries, submitted, accepted, answered, reaped, control;
	_Alignas(4096) struct entry submission[ENTRIES], answers[ENTRIES];
} mailbox;

struct landing {
	_Alignas(128) _Atomic uint64_t at;
};

static struct landing landings[1];
static int interrupt_fd;
/* What plays the hardware, and when it has interrupted last. */
static long hardware_cpu;
static unsigned long long thinks;
static _Atomic uint64_t raised_at;
/* Where the submitting thread sleeps until its callback has run. */
static sem_t landed;

static void fail(const char *what)
{
	perror(what);
	_exit(1);
}

static uint64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static uint32_t load(_Atomic uint32_t *word)
{
	return atomic_load_explicit(word, memory_order_acquire);
}

static void store(_Atomic uint32_t *word, uint32_t value)
{
	atomic_store_explicit(word, value, memory_order_release);
}

static void *reap(void *unused)
{
	struct io_uring_params params = {
		.flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN,
	};
	struct io_uring ring;
	uint64_t count;
	uint32_t reaped = 0;

	(void)unused;
	if (io_uring_queue_init_params(8, &ring, &params) < 0)
		fail("io_uring");
	if (io_uring_register_files(&ring, &interrupt_fd, 1) < 0)
		fail("io_uring files");
	for (;;) {
		struct io_uring_sqe *sqe = io_uring_get_sqe(&ring);
		struct io_uring_cqe *cqe;
		unsigned int head, seen = 0;
		uint32_t answered;

		io_uring_prep_read(sqe, 0, &count, sizeof(count), -1);
		sqe->flags |= IOSQE_FIXED_FILE;
		if (io_uring_submit_and_wait(&ring, 1) < 0)
			fail("io_uring wait");
		io_uring_for_each_cqe(&ring, head, cqe)
			seen++;
		io_uring_cq_advance(&ring, seen);
		answered = load(&mailbox.answered);
		for (; reaped != answered; reaped++) {
			uint32_t tag = load(&mailbox.answers[reaped % ENTRIES].tag);

			load(&mailbox.answers[reaped % ENTRIES].value);
			if (tag < sizeof(landings) / sizeof(landings[0])) {
				atomic_store_explicit(&landings[tag].at, now(), memory_order_release);
				if (hardware_cpu >= 0)
					sem_post(&landed);
			}
		}
		store(&mailbox.reaped, answered);
	}
	return NULL;
}

static void submit(uint32_t tag)
{
	uint32_t submitted = load(&mailbox.submitted);

	store(&mailbox.submission[submitted % ENTRIES].tag, tag);
	store(&mailbox.submission[submitted % ENTRIES].value, tag);
	store(&mailbox.submitted, submitted + 1);
}

static uint32_t answer(void)
{
	uint32_t accepted = load(&mailbox.accepted), answered = load(&mailbox.answered);
	uint32_t waiting = load(&mailbox.submitted) - accepted, n;

	for (n = 0; n < waiting; n++) {
		struct entry *from = &mailbox.submission[(accepted + n) % ENTRIES];
		struct entry *to = &mailbox.answers[(answered + n) % ENTRIES];

		store(&to->tag, load(&from->tag));
		store(&to->value, ~load(&from->value));
	}
	store(&mailbox.accepted, accepted + waiting);
	store(&mailbox.answered, answered + waiting);
	return waiting;
}

/* Answers what waits and interrupts; false if nothing waits. */
static bool play(void)
{
	const uint64_t one = 1;

	atomic_store_explicit(&raised_at, now(), memory_order_release);
	if (!answer())
		return false;
	if (write(interrupt_fd, &one, sizeof(one)) != sizeof(one))
		fail("eventfd");
	return true;
}

static void *hardware(void *unused)
{
	cpu_set_t cpu;

	(void)unused;
	CPU_ZERO(&cpu);
	CPU_SET(hardware_cpu, &cpu);
	if (sched_setaffinity(0, sizeof(cpu), &cpu))
		fail("the hardware's CPU");
	for (;;) {
		uint64_t answers;

		__builtin_ia32_pause();
		if (load(&mailbox.submitted) == load(&mailbox.accepted))
			continue;
		answers = now() + thinks;
		while (now() < answers)
			__builtin_ia32_pause();
		play();
	}
	return NULL;
}

static uint64_t land(void)
{
	uint64_t at;

	while (!(at = atomic_load_explicit(&landings[0].at, memory_order_acquire))) {
		if (hardware_cpu >= 0)
			sem_wait(&landed);
		else
			__builtin_ia32_pause();
	}
	/* If the landing was seen before its post, the post is still to be taken. */
	while (!sem_trywait(&landed))
		;
	return at;
}

static void time_requests(uint64_t gap, uint64_t warm_up, uint64_t count)
{
	uint64_t (*records)[4] = calloc(count ? count : 1, sizeof(*records));
	uint64_t next = now() + gap, n;

	if (!records)
		fail("memory");
	for (n = 0; n < warm_up + count; n++) {
		uint64_t call, returned, at;

		atomic_store_explicit(&landings[0].at, 0, memory_order_relaxed);
		while (now() < next)
			__builtin_ia32_pause();
		call = now();
		next = call + gap;
		submit(0);
		returned = now();
		if (hardware_cpu < 0)
			play();
		at = land();
		if (n >= warm_up) {
			uint64_t *record = records[n - warm_up];

			record[0] = call;
			record[1] = returned;
			record[2] = atomic_load_explicit(&raised_at, memory_order_acquire);
			record[3] = at;
		}
	}
	if (fwrite(records, sizeof(*records), count, stdout) != count || fflush(stdout))
		fail("output");
	free(records);
}

int main(int argc, char **argv)
{
	unsigned long depth = argc > 1 ? strtoul(argv[1], NULL, 10) : 1, n;
	unsigned long long gap, warm_up, count;
	pthread_t reaper, player;

	hardware_cpu = argc > 2 ? strtol(argv[2], NULL, 10) : -1;
	thinks = argc > 3 ? strtoull(argv[3], NULL, 10) : 0;
	if (sem_init(&landed, 0, 0))
		fail("semaphore");

	interrupt_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (interrupt_fd < 0)
		fail("eventfd");
	/* The others outstanding: taken in and never answered. */
	for (n = 1; n < depth && n < ENTRIES; n++)
		submit(OTHERS + n);
	store(&mailbox.accepted, load(&mailbox.submitted));
	if (pthread_create(&reaper, NULL, reap, NULL))
		fail("thread");
	/* Its parent has taken the hardware's CPU from this process, so only that thread is there. */
	if (hardware_cpu >= 0 && pthread_create(&player, NULL, hardware, NULL))
		fail("thread");
	while (scanf("%llu %llu %llu", &gap, &warm_up, &count) == 3)
		time_requests(gap, warm_up, count);
	/* The reaper waits for ever; the process ends it. */
	_exit(0);
}
