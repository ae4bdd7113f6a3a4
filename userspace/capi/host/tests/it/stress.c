/* Two providers side by side, each used by several threads that share its lines and calls, and a
 * third that is shut down under load and started again and again. Counts every request: each that
 * was accepted completes exactly once, none before its function has returned, and none that was
 * refused; no event comes after its call or line was closed, and nothing after its host was freed.
 *
 * stress SECONDS PROVIDER PROVIDER RESTARTED */
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include <ringback/ringback.h>

#define THREADS 4      /* for each provider */
#define MOST_LINES 4   /* that are used of each provider */
#define IDS (1u << 20) /* ids count up; far fewer are outstanding at a time */
#define CLOSED (1u << 20)
#define LEAST_REQUESTS 400 /* of each provider, however long that takes */
#define LEAST_RESTARTS 5
#define PATIENCE 300 /* seconds: after these something has hung */

#define FAIL(...)                                                                                \
    do {                                                                                         \
        fprintf(stderr, __VA_ARGS__);                                                            \
        fprintf(stderr, " (%s:%d)\n", __FILE__, __LINE__);                                       \
        abort();                                                                                 \
    } while (0)

/* A function that may meet a line or call that another thread has just closed. */
#define ANY(call)                                                                                \
    do {                                                                                         \
        int32_t any = (call);                                                                    \
        if (any > 0)                                                                             \
            FAIL("%s is %d", #call, any);                                                        \
    } while (0)
#define OK(call)                                                                                 \
    do {                                                                                         \
        int32_t ok = (call);                                                                     \
        if (ok != 0)                                                                             \
            FAIL("%s: %s %s", #call, rb_error_text(ok), rb_failure());                           \
    } while (0)

/* How far the request with an id is. */
enum { FREE, ASKED, RETURNED };
static atomic_int requests[IDS];
static atomic_uint outstanding;

/* The handles that are closed. They count up and are never given out twice, so each has a place of
 * its own until as many more were given out; then it is forgotten. */
static atomic_ullong closed[CLOSED];

static atomic_int over;

static void note_closed(uint64_t handle)
{
    atomic_store(&closed[handle % CLOSED], handle);
}

static int is_closed(uint64_t handle)
{
    return atomic_load(&closed[handle % CLOSED]) == handle;
}

/* A host, and what its threads share. */
struct house {
    const char *provider;
    rb_host host;
    uint32_t lines;
    atomic_ullong line[MOST_LINES], call[MOST_LINES];
    atomic_int leaving, freed;
    atomic_uint made, refused, completed, events;
    unsigned seed;
};

static void on_event(void *context, const rb_event *event)
{
    struct house *house = context;
    int was;

    if (atomic_load(&house->freed))
        FAIL("message %u after the host was freed", event->message);
    /* A completion may be delivered later: by a dispatch that comes after the close. */
    if (event->message != LINE_REPLY) {
        if (event->line != 0 && is_closed(event->line))
            FAIL("D2: message %u of a line that is closed", event->message);
        if (event->call != 0 && is_closed(event->call))
            FAIL("D5: message %u of a call that is closed", event->message);
        if (event->message == LINE_APPNEWCALL)
            ANY(rb_call_close(event->call));
        atomic_fetch_add(&house->events, 1);
        return;
    }
    if (event->result > 0)
        FAIL("C2: request %u completes with %d", event->request, event->result);
    was = atomic_exchange(&requests[event->request % IDS], FREE);
    if (was == ASKED)
        FAIL("G1: request %u completes before its function has returned", event->request);
    if (was == FREE)
        FAIL("C3: request %u completes twice, or was never accepted", event->request);
    atomic_fetch_add(&house->completed, 1);
    atomic_fetch_sub(&outstanding, 1);
}

/* Takes an id, unless the line is closed. */
static rb_request reserve(rb_line line)
{
    rb_request request;

    if (rb_request_new(line, &request) != 0)
        return 0;
    if (atomic_exchange(&requests[request % IDS], ASKED) != FREE)
        FAIL("T3: the id %u is given to a second request", request);
    atomic_fetch_add(&outstanding, 1);
    return request;
}

/* The function that makes a request has returned. */
static int asked(struct house *house, rb_request request, int32_t result)
{
    int is_made = result == 0;

    if (result > 0)
        FAIL("R1: request %u was asked for, and %d returned", request, result);
    if (atomic_exchange(&requests[request % IDS], is_made ? RETURNED : FREE) != ASKED)
        FAIL("G1: request %u was completed before its function has returned", request);
    if (is_made) {
        atomic_fetch_add(&house->made, 1);
        if (request % 3 == 0)
            ANY(rb_request_release(request));
        return 1;
    }
    atomic_fetch_sub(&outstanding, 1);
    atomic_fetch_add(&house->refused, 1);
    /* Closing the line has freed it already, if that was the reason. */
    ANY(rb_request_free(request));
    return 0;
}

static void close_call(atomic_ullong *call)
{
    rb_call closing = atomic_exchange(call, 0);
    uint32_t state, mode;

    if (closing == 0)
        return;
    /* LINEERR_INVALCALLHANDLE: another thread has closed its line. */
    if (rb_call_close(closing) == 0)
        note_closed(closing);
    if (rb_call_state(closing, &state, &mode) >= 0)
        FAIL("a closed call has a state");
}

static void close_line(atomic_ullong *line)
{
    rb_line closing = atomic_exchange(line, 0);
    int works;

    if (closing == 0)
        return;
    if (rb_line_close(closing) == 0)
        note_closed(closing);
    if (rb_line_in_service(closing, &works) >= 0)
        FAIL("a closed line is in service");
}

static void open_line(struct house *house, uint32_t at)
{
    unsigned long long none = 0;
    rb_line line;

    if (rb_line_open(house->host, at, &line) != 0)
        return; /* another thread has it open */
    if (!atomic_compare_exchange_strong(&house->line[at], &none, line)) {
        OK(rb_line_close(line));
        note_closed(line);
    }
}

static void make_call(struct house *house, uint32_t at, rb_line line)
{
    static const char *const numbers[] = {"5550100", "5550101", "1", "", "5550103"};
    const char *number = numbers[rand_r(&house->seed) % 5];
    rb_request request = reserve(line);
    unsigned long long none = 0;
    rb_call call = 0;

    if (request == 0)
        return;
    if (!asked(house, request, rb_call_make(request, line, number, &call)))
        return;
    if (!atomic_compare_exchange_strong(&house->call[at], &none, call)) {
        atomic_ullong other = call;
        close_call(&other);
    }
}

/* Does one thing with a line of the house, which other threads use as well. */
static void act(struct house *house, unsigned *seed)
{
    uint32_t at = (uint32_t)rand_r(seed) % house->lines;
    rb_line line = atomic_load(&house->line[at]);
    rb_call call = atomic_load(&house->call[at]);
    rb_request request;
    uint32_t state, mode, id;
    char number[8];

    switch (rand_r(seed) % 16) {
    case 0: case 1:
        open_line(house, at);
        break;
    case 2:
        if (rand_r(seed) % 4 == 0)
            close_line(&house->line[at]);
        break;
    case 3: case 4: case 5:
        make_call(house, at, line);
        break;
    case 6: case 7:
        if ((request = reserve(line)) != 0)
            asked(house, request, rb_call_dial(request, call, "12"));
        break;
    case 8:
        if ((request = reserve(line)) != 0)
            asked(house, request, rb_call_answer(request, call));
        break;
    case 9: case 10:
        if ((request = reserve(line)) != 0)
            asked(house, request, rb_call_drop(request, call));
        break;
    case 11:
        if (rand_r(seed) % 2 == 0)
            close_call(&house->call[at]);
        break;
    case 12:
        ANY(rb_call_state(call, &state, &mode));
        break;
    case 13:
        ANY(rb_call_generate_digits(call, "5", 40, &id));
        break;
    case 14:
        ANY(rb_call_monitor_digits(call, rand_r(seed) % 2));
        break;
    default:
        ANY(rb_call_caller(call, number, sizeof number));
        if (rand_r(seed) % 8 == 0)
            poll(NULL, 0, 1);
    }
}

struct actor {
    struct house *house;
    unsigned seed;
    pthread_t thread;
};

static void *acts(void *pointer)
{
    struct actor *actor = pointer;

    while (!atomic_load(&actor->house->leaving))
        act(actor->house, &actor->seed);
    return NULL;
}

/* Delivers on a thread of the application's. */
static void *tells(void *pointer)
{
    struct house *house = pointer;
    struct pollfd waits = {0};

    OK(rb_host_fd(house->host, &waits.fd));
    waits.events = POLLIN;
    while (atomic_load(&house->leaving) < 2) {
        poll(&waits, 1, 10);
        OK(rb_host_dispatch(house->host, on_event, house, NULL));
    }
    return NULL;
}

static void start_house(struct house *house, int by_library)
{
    OK(rb_host_open(house->provider, &house->host));
    OK(rb_host_lines(house->host, &house->lines));
    if (house->lines > MOST_LINES)
        house->lines = MOST_LINES;
    if (by_library)
        OK(rb_host_deliver(house->host, on_event, house));
}

/* Runs threads on a host until `until` says that it is enough; then shuts it down in the middle of
 * their work, waits until everything has completed, and frees it. */
static void live(struct house *house, int by_library, int (*until)(struct house *))
{
    struct actor actors[THREADS];
    pthread_t teller;

    start_house(house, by_library);
    if (!by_library && pthread_create(&teller, NULL, tells, house) != 0)
        FAIL("no thread");
    for (int i = 0; i < THREADS; i++) {
        actors[i] = (struct actor){.house = house, .seed = house->seed++ * 977 + 1};
        if (pthread_create(&actors[i].thread, NULL, acts, &actors[i]) != 0)
            FAIL("no thread");
    }
    while (!until(house))
        poll(NULL, 0, 2);
    OK(rb_host_shutdown(house->host));
    atomic_store(&house->leaving, 1);
    for (int i = 0; i < THREADS; i++)
        pthread_join(actors[i].thread, NULL);
    /* Those that made them have ended, so that all completions can be delivered now. */
    while (atomic_load(&house->completed) != atomic_load(&house->made))
        poll(NULL, 0, 1);
    atomic_store(&house->leaving, 2);
    if (!by_library)
        pthread_join(teller, NULL);
    OK(rb_host_free(house->host));
    atomic_store(&house->freed, 1);
}

static time_t end;

static int until_end(struct house *house)
{
    return atomic_load(&over) && atomic_load(&house->made) >= LEAST_REQUESTS;
}

static int until_some(struct house *house)
{
    return atomic_load(&house->made) >= 20 + house->seed % 200;
}

static void *lives(void *house)
{
    live(house, 0, until_end);
    return NULL;
}

static void *lives_by_library(void *house)
{
    live(house, 1, until_end);
    return NULL;
}

int main(int argc, char **argv)
{
    static struct house houses[2];
    pthread_t threads[2];
    unsigned restarts = 0, made = 0;
    long seconds;

    if (argc != 5 || (seconds = strtol(argv[1], NULL, 10)) <= 0) {
        fprintf(stderr, "stress SECONDS PROVIDER PROVIDER RESTARTED\n");
        return 2;
    }
    alarm((unsigned)seconds + PATIENCE);
    end = time(NULL) + seconds;
    for (unsigned i = 0; i < 2; i++) {
        houses[i].provider = argv[2 + i];
        houses[i].seed = 1 + i;
        if (pthread_create(&threads[i], NULL, i == 0 ? lives : lives_by_library, &houses[i]) != 0)
            return 3;
    }
    while (time(NULL) < end || restarts < LEAST_RESTARTS) {
        /* Events may not come after the host is freed, so it stays in memory. */
        struct house *house = calloc(1, sizeof *house);
        static struct house *kept[1u << 20];
        if (house == NULL || restarts == sizeof kept / sizeof *kept)
            FAIL("no room for another host");
        kept[restarts] = house;
        house->provider = argv[4];
        house->seed = 100 + restarts;
        live(house, restarts % 2 != 0, until_some);
        made += atomic_load(&house->made);
        restarts++;
    }
    atomic_store(&over, 1);
    for (unsigned i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    if (atomic_load(&outstanding) != 0)
        FAIL("C3: %u requests have not completed", atomic_load(&outstanding));
    for (unsigned i = 0; i < 2; i++) {
        struct house *house = &houses[i];
        printf("provider %u: %u requests completed once each, %u refused, %u events\n", i + 1,
               atomic_load(&house->made), atomic_load(&house->refused),
               atomic_load(&house->events));
    }
    printf("restarted: %u times, %u requests completed once each\n", restarts, made);
    return 0;
}
