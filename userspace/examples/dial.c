/* Dials a number: dial PROVIDER LINE NUMBER. Prints the states of the call, and hangs up a second
 * after the answer. The exit status is 0 if the call was answered. */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <ringback/ringback.h>

struct call {
    rb_request making, dropping;
    uint32_t state;
    int over, answered;
};

static void on_event(void *context, const rb_event *event)
{
    struct call *call = context;

    if (event->message == LINE_REPLY) {
        printf("request %u: %s\n", event->request,
               event->result == 0 ? "done" : rb_error_text(event->result));
        /* A call that could not be made has no states. */
        if (event->request == call->making && event->result != 0)
            call->over = 1;
    } else if (event->message == LINE_CALLSTATE) {
        call->state = (uint32_t)event->params[0];
        printf("state %#x\n", (unsigned)call->state);
        if (call->state == LINECALLSTATE_CONNECTED)
            call->answered = 1;
        if (call->state == LINECALLSTATE_IDLE)
            call->over = 1;
    }
}

/* Ends the program if a function has failed. */
static void check(const char *what, int32_t result)
{
    if (result == 0)
        return;
    fprintf(stderr, "%s: %s %s\n", what, rb_error_text(result), rb_failure());
    exit(1);
}

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
    struct call call = {0};
    struct pollfd waits = {0};
    rb_host host;
    rb_line line;
    rb_call handle;
    int in_service = 0;
    double begin = now(), answered = 0;

    if (argc != 4) {
        fprintf(stderr, "usage: %s PROVIDER LINE NUMBER\n", argv[0]);
        return 2;
    }
    check("open the provider", rb_host_open(argv[1], &host));
    check("open the line", rb_line_open(host, (uint32_t)atoi(argv[2]), &line));
    check("wait for events", rb_host_fd(host, &waits.fd));
    waits.events = POLLIN;
    while (rb_line_in_service(line, &in_service) == 0 && !in_service && now() - begin < 10)
        poll(NULL, 0, 50);

    /* The id is stored before the request is made. */
    check("take an id", rb_request_new(line, &call.making));
    check("dial", rb_call_make(call.making, line, argv[3], &handle));
    while (!call.over && now() - begin < 60) {
        poll(&waits, 1, 100);
        check("dispatch", rb_host_dispatch(host, on_event, &call, NULL));
        if (call.answered && answered == 0)
            answered = now();
        if (answered != 0 && call.dropping == 0 && now() - answered > 1) {
            check("take an id", rb_request_new(line, &call.dropping));
            /* The other side may have hung up in the meantime. */
            if (rb_call_drop(call.dropping, handle) != 0)
                break;
        }
        if (call.state == LINECALLSTATE_DISCONNECTED || call.state == LINECALLSTATE_BUSY)
            break;
    }
    check("close the call", rb_call_close(handle));
    check("end", rb_host_free(host));
    puts(call.answered ? "answered" : "not answered");
    return call.answered ? 0 : 1;
}
