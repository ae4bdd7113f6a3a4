/* One thread makes requests and another receives their completions. Counts the completions that
 * come before the function of their request has returned. */
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include <ringback/ringback.h>

#define REQUESTS 40000
/* Ids count up from 1; one is used before the counting begins. */
#define IDS (REQUESTS + 100)

static atomic_int returned[IDS];
static atomic_uint told, early, connected;
static rb_host host;
static rb_line line;
static rb_call call;

static void check(int32_t result)
{
    if (result != 0) {
        fprintf(stderr, "%s %s\n", rb_error_text(result), rb_failure());
        exit(1);
    }
}

static void on_event(void *context, const rb_event *event)
{
    (void)context;
    if (event->message == LINE_CALLSTATE && event->params[0] == LINECALLSTATE_CONNECTED)
        atomic_store(&connected, 1);
    if (event->message != LINE_REPLY || event->call != call)
        return;
    if (event->request >= IDS || event->result != 0)
        exit(2);
    if (!atomic_load(&returned[event->request]))
        atomic_fetch_add(&early, 1);
    atomic_fetch_add(&told, 1);
}

static void *tell(void *nothing)
{
    struct pollfd waits = {0};

    (void)nothing;
    check(rb_host_fd(host, &waits.fd));
    waits.events = POLLIN;
    while (atomic_load(&told) < REQUESTS) {
        poll(&waits, 1, 1000);
        check(rb_host_dispatch(host, on_event, NULL, NULL));
    }
    return NULL;
}

int main(int argc, char **argv)
{
    pthread_t teller;
    rb_request request;
    rb_call the_call;
    uint32_t state, mode;
    int made = 0;

    if (argc != 2)
        return 2;
    check(rb_host_open(argv[1], &host));
    check(rb_line_open(host, 0, &line));
    check(rb_request_new(line, &request));
    atomic_store(&returned[request], 1);
    check(rb_call_make(request, line, "1", &call));
    /* Its completion is not counted. */
    the_call = call;
    call = 0;
    while (!atomic_load(&connected))
        check(rb_host_dispatch(host, on_event, NULL, NULL));
    call = the_call;

    if (pthread_create(&teller, NULL, tell, NULL) != 0)
        return 3;
    while (made < REQUESTS) {
        int32_t result;
        check(rb_request_new(line, &request));
        while ((result = rb_call_dial(request, call, "1")) == LINEERR_RESOURCEUNAVAIL)
            poll(NULL, 0, 1); /* the provider's queue is full */
        atomic_store(&returned[request], 1);
        check(result);
        made++;
        /* Every other request is released, the others by the next function that is called. */
        if (made % 2 == 0)
            rb_request_release(request);
    }
    /* It says that the last function has returned. */
    check(rb_call_state(call, &state, &mode));
    pthread_join(teller, NULL);
    check(rb_host_free(host));
    printf("%u completions, %u before the return\n", atomic_load(&told), atomic_load(&early));
    return 0;
}
