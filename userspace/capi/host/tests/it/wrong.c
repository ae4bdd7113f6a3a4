/* An application that makes every mistake; each function must return the documented error. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <ringback/ringback.h>

#define EXPECT(wanted, call)                                                                     \
    do {                                                                                         \
        int32_t result = (call);                                                                 \
        if (result != (wanted)) {                                                                \
            fprintf(stderr, "line %d: %s is %#x\n", __LINE__, #call, (unsigned)result);          \
            exit(1);                                                                             \
        }                                                                                        \
    } while (0)

static unsigned told;
static rb_host host;

static void count(void *context, const rb_event *event)
{
    uint32_t nested = 7;

    if (context != &told || event->size != sizeof *event)
        exit(2);
    told++;
    /* C6: a dispatch inside a callback delivers nothing. */
    EXPECT(0, rb_host_dispatch(host, count, &told, &nested));
    if (nested != 0)
        exit(3);
}

/* Dispatches until so many messages have come. */
static void wait_for(unsigned wanted)
{
    while (told < wanted)
        EXPECT(0, rb_host_dispatch(host, count, &told, NULL));
}

int main(int argc, char **argv)
{
    rb_host other, guesses[] = {0, 1, 7, 1000000, (uint64_t)-1, (uint64_t)1 << 63};
    rb_line line, again;
    rb_call call, lost;
    rb_request request, unused, late;
    uint32_t number, mode;
    char name[80];
    int fd;

    if (argc != 2)
        return 2;
    /* NULL, and providers that are none. */
    EXPECT(LINEERR_INVALPOINTER, rb_host_open(NULL, &host));
    EXPECT(LINEERR_INVALPOINTER, rb_host_open(argv[1], NULL));
    EXPECT(LINEERR_NODRIVER, rb_host_open("/nowhere/at-all.so", &host));
    if (strstr(rb_failure(), "/nowhere/at-all.so") == NULL)
        return 4;
    EXPECT(LINEERR_NODRIVER, rb_host_open("libm.so.6", &host));
    EXPECT(LINEERR_INVALPARAM, rb_host_open("\xff\xfe", &host));
    EXPECT(0, rb_host_open(argv[1], &host));
    if (strlen(rb_error_text(LINEERR_NODEVICE)) == 0 || strlen(rb_error_text((LONG)-1)) == 0)
        return 5;

    /* Guessed handles, and those of something else. */
    for (size_t i = 0; i < sizeof guesses / sizeof *guesses; i++) {
        if (guesses[i] == host)
            continue;
        EXPECT(LINEERR_INVALAPPHANDLE, rb_host_lines(guesses[i], &number));
        EXPECT(LINEERR_INVALAPPHANDLE, rb_host_fd(guesses[i], &fd));
        EXPECT(LINEERR_INVALAPPHANDLE, rb_host_dispatch(guesses[i], count, &told, NULL));
        EXPECT(LINEERR_INVALAPPHANDLE, rb_host_deliver(guesses[i], count, &told));
        EXPECT(LINEERR_INVALAPPHANDLE, rb_host_shutdown(guesses[i]));
        EXPECT(LINEERR_INVALAPPHANDLE, rb_host_free(guesses[i]));
        EXPECT(LINEERR_INVALAPPHANDLE, rb_line_open(guesses[i], 0, &line));
    }
    for (size_t i = 0; i < sizeof guesses / sizeof *guesses; i++) {
        EXPECT(LINEERR_INVALLINEHANDLE, rb_line_close(guesses[i]));
        EXPECT(LINEERR_INVALLINEHANDLE, rb_request_new(guesses[i], &request));
        EXPECT(LINEERR_INVALLINEHANDLE, rb_call_make(1, guesses[i], "1", &call));
        EXPECT(LINEERR_INVALCALLHANDLE, rb_call_drop(1, guesses[i]));
        EXPECT(LINEERR_INVALCALLHANDLE, rb_call_close(guesses[i]));
        EXPECT(LINEERR_INVALCALLHANDLE, rb_call_state(guesses[i], &number, &mode));
        EXPECT(LINEERR_INVALPARAM, rb_request_release((uint32_t)guesses[i]));
        EXPECT(PHONEERR_INVALPHONEHANDLE, rb_phone_close(guesses[i]));
        EXPECT(PHONEERR_INVALPHONEHANDLE, rb_phone_lamp(guesses[i], 0, &mode));
        EXPECT(PHONEERR_INVALPHONEHANDLE, rb_phone_request_new(guesses[i], &request));
        EXPECT(PHONEERR_INVALPHONEHANDLE, rb_phone_set_lamp(1, guesses[i], 0, 1));
    }
    EXPECT(LINEERR_INVALLINEHANDLE, rb_line_close(host));
    EXPECT(PHONEERR_INVALPHONEHANDLE, rb_phone_close(host));

    /* Sizes, NULL, order. */
    EXPECT(0, rb_host_lines(host, &number));
    EXPECT(LINEERR_INVALPOINTER, rb_host_lines(host, NULL));
    EXPECT(LINEERR_NODEVICE, rb_host_line_name(host, number, name, sizeof name));
    EXPECT(LINEERR_STRUCTURETOOSMALL, rb_host_line_name(host, 0, name, 0));
    EXPECT(0, rb_host_line_name(host, 0, name, sizeof name));
    EXPECT(LINEERR_INVALPOINTER, rb_host_line_name(host, 0, NULL, 5));
    EXPECT(LINEERR_INVALPOINTER, rb_host_dispatch(host, NULL, NULL, NULL));
    EXPECT(LINEERR_NODEVICE, rb_line_open(host, 99, &line));
    EXPECT(0, rb_line_open(host, 0, &line));
    EXPECT(LINEERR_ALLOCATED, rb_line_open(host, 0, &again));

    /* Requests: of no line, given back, made twice, refused. */
    EXPECT(0, rb_request_new(line, &request));
    EXPECT(0, rb_request_new(line, &unused));
    EXPECT(LINEERR_INVALPOINTER, rb_call_make(request, line, NULL, &call));
    EXPECT(LINEERR_INVALPOINTER, rb_call_make(request, line, "1", NULL));
    EXPECT(LINEERR_INVALADDRESS, rb_call_make(request, line, "\xff", &call));
    EXPECT(0, rb_request_free(unused));
    EXPECT(LINEERR_INVALPARAM, rb_request_free(unused));
    EXPECT(LINEERR_INVALPARAM, rb_call_make(unused, line, "1", &call));
    EXPECT(0, rb_call_make(request, line, "5550100", &call));
    EXPECT(0, rb_request_new(line, &late));
    EXPECT(LINEERR_CALLUNAVAIL, rb_call_make(late, line, "5550101", &lost));
    EXPECT(0, rb_request_free(late));
    EXPECT(LINEERR_INVALPARAM, rb_request_release(late));
    wait_for(3); /* LINE_REPLY, PROCEEDING, CONNECTED */
    EXPECT(LINEERR_INVALPARAM, rb_call_drop(request, call));
    EXPECT(0, rb_call_state(call, &number, &mode));
    if (number != LINECALLSTATE_CONNECTED)
        return 6;
    EXPECT(LINEERR_OPERATIONUNAVAIL, rb_call_monitor_digits(call, 1));

    /* A request of a call that is closed; a closed call. */
    EXPECT(0, rb_request_new(line, &request));
    EXPECT(0, rb_call_drop(request, call));
    EXPECT(0, rb_call_close(call));
    EXPECT(LINEERR_INVALCALLHANDLE, rb_call_close(call));
    wait_for(4); /* its completion, and no state (D5) */
    EXPECT(LINEERR_INVALCALLHANDLE, rb_call_state(call, &number, &mode));

    /* A line that is closed, a provider that is down, a host that is gone. */
    EXPECT(0, rb_request_new(line, &request));
    EXPECT(0, rb_call_make(request, line, "5550100", &call));
    EXPECT(0, rb_line_close(line));
    EXPECT(LINEERR_INVALLINEHANDLE, rb_request_new(line, &late));
    EXPECT(LINEERR_INVALCALLHANDLE, rb_call_close(call));
    wait_for(5); /* the completion, and no state (D2) */
    EXPECT(0, rb_host_dispatch(host, count, &told, &number));
    if (number != 0)
        return 7;
    EXPECT(0, rb_line_open(host, 0, &line));
    EXPECT(0, rb_host_shutdown(host));
    EXPECT(LINEERR_UNINITIALIZED, rb_line_open(host, 0, &again));
    EXPECT(0, rb_host_deliver(host, count, &told));
    EXPECT(LINEERR_OPERATIONUNAVAIL, rb_host_deliver(host, count, &told));
    EXPECT(LINEERR_OPERATIONUNAVAIL, rb_host_dispatch(host, count, &told, NULL));
    EXPECT(0, rb_host_free(host));
    EXPECT(LINEERR_INVALAPPHANDLE, rb_host_free(host));
    EXPECT(LINEERR_INVALAPPHANDLE, rb_line_open(host, 0, &line));

    /* The provider can be loaded again. */
    EXPECT(0, rb_host_open(argv[1], &other));
    EXPECT(0, rb_host_free(other));
    return 0;
}
