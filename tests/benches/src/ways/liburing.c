/* SPDX-License-Identifier: MIT OR Apache-2.0
 *
 * (e) The bare floor in C on liburing: a ring that reads the interrupt file and indexes an array.
 * What floor.rs is in Rust, with the hardware played the same way: by the submitting thread, right
 * after its call.
 *
 *   liburing-floor DEPTH
 *
 * plays a mailbox in memory. Each line "GAP WARM_UP COUNT" on standard input has it time WARM_UP +
 * COUNT requests, one every GAP ns, and write COUNT records of four 64-bit times in ns: call, return,
 * interrupt, callback. Return and interrupt are taken in every eighth sample only and 0 in the others.
 */
#define _GNU_SOURCE
#include <liburing.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

enum { ENTRIES = 4096, STAGED = 8, OTHERS = 1000 };

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
			if (tag < sizeof(landings) / sizeof(landings[0]))
				atomic_store_explicit(&landings[tag].at, now(), memory_order_release);
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

static void time_requests(uint64_t gap, uint64_t warm_up, uint64_t count)
{
	uint64_t (*records)[4] = calloc(count ? count : 1, sizeof(*records));
	uint64_t next = now() + gap, n;
	const uint64_t one = 1;

	if (!records)
		fail("memory");
	for (n = 0; n < warm_up + count; n++) {
		int staged = n % STAGED == STAGED - 1;
		uint64_t call, returned = 0, raised = 0, at;

		atomic_store_explicit(&landings[0].at, 0, memory_order_relaxed);
		while (now() < next)
			__builtin_ia32_pause();
		call = now();
		next = call + gap;
		submit(0);
		if (staged)
			returned = now();
		if (answer()) {
			if (staged)
				raised = now();
			if (write(interrupt_fd, &one, sizeof(one)) != sizeof(one))
				fail("eventfd");
		}
		while (!(at = atomic_load_explicit(&landings[0].at, memory_order_acquire)))
			__builtin_ia32_pause();
		if (n >= warm_up) {
			uint64_t *record = records[n - warm_up];

			record[0] = call;
			record[1] = returned;
			record[2] = raised;
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
	pthread_t reaper;

	interrupt_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (interrupt_fd < 0)
		fail("eventfd");
	/* The others outstanding: taken in and never answered. */
	for (n = 1; n < depth && n < ENTRIES; n++)
		submit(OTHERS + n);
	store(&mailbox.accepted, load(&mailbox.submitted));
	if (pthread_create(&reaper, NULL, reap, NULL))
		fail("thread");
	while (scanf("%llu %llu %llu", &gap, &warm_up, &count) == 3)
		time_requests(gap, warm_up, count);
	/* The reaper waits for ever; the process ends it. */
	_exit(0);
}
