/* A telephone of the software card as a phone: its requests, its messages, and its end. */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <ringback/ringback.h>

#define EXPECT(wanted, call)                                                                     \
    do {                                                                                         \
        int32_t result = (call);                                                                 \
        if (result != (int32_t)(wanted)) {                                                       \
            fprintf(stderr, "line %d: %s is %#x\n", __LINE__, #call, (unsigned)result);          \
            exit(1);                                                                             \
        }                                                                                        \
    } while (0)

#define HANDSET PHONEHOOKSWITCHDEV_HANDSET

static rb_host host;
static rb_phone phone;
/* The replies to requests, and the last result. */
static unsigned replies;
static int32_t reply;
/* The details of the last PHONE_STATE of each state. */
static uint64_t ring = 99, hook = 99;
static unsigned lamps;

static void on_event(void *context, const rb_event *event)
{
    (void)context;
    if (event->size != sizeof *event || event->phone != phone || event->line != 0)
        exit(2);
    if (event->message == PHONE_REPLY) {
        replies++;
        reply = event->result;
    } else if (event->message == PHONE_STATE && event->params[0] == PHONESTATE_RINGMODE) {
        ring = event->params[1];
    } else if (event->message == PHONE_STATE && event->params[0] == PHONESTATE_LAMP) {
        lamps++;
    } else if (event->message == PHONE_STATE
               && event->params[0] == PHONESTATE_HANDSETHOOKSWITCH) {
        hook = event->params[1];
    } else {
        fprintf(stderr, "message %u, %u\n", event->message, (unsigned)event->params[0]);
        exit(3);
    }
}

/* Dispatches until this is so, for a minute at most. */
#define UNTIL(condition)                                                                         \
    do {                                                                                         \
        int rounds = 600;                                                                        \
        while (!(condition)) {                                                                   \
            struct pollfd readable = {fd, POLLIN, 0};                                            \
            if (rounds-- == 0) {                                                                 \
                fprintf(stderr, "line %d: %s never came\n", __LINE__, #condition);               \
                exit(4);                                                                         \
            }                                                                                    \
            poll(&readable, 1, 100);                                                             \
            EXPECT(0, rb_host_dispatch(host, on_event, NULL, NULL));                             \
        }                                                                                        \
    } while (0)

int main(int argc, char **argv)
{
    rb_phone other;
    rb_request request, foreign;
    rb_line line;
    uint32_t count, value, volume;
    char name[80];
    int fd;

    if (argc != 2)
        return 2;
    EXPECT(0, rb_host_open(argv[1], &host));
    EXPECT(0, rb_host_fd(host, &fd));
    EXPECT(LINEERR_INVALPOINTER, rb_host_phones(host, NULL));
    EXPECT(0, rb_host_phones(host, &count));
    if (count != 2)
        return 5;
    EXPECT(0, rb_host_phone_name(host, 0, name, sizeof name));
    EXPECT(PHONEERR_NODEVICE, rb_host_phone_name(host, count, name, sizeof name));
    EXPECT(PHONEERR_NODEVICE, rb_phone_open(host, count, &phone));
    EXPECT(LINEERR_INVALPOINTER, rb_phone_open(host, 0, NULL));
    EXPECT(0, rb_phone_open(host, 0, &phone));
    EXPECT(PHONEERR_ALLOCATED, rb_phone_open(host, 0, &other));
    if (strcmp(rb_error_text(PHONEERR_ALLOCATED), rb_error_text((LONG)-1)) == 0)
        return 6;
    EXPECT(PHONEERR_INVALBUTTONSTATE,
           rb_phone_status_messages(phone, 0, PHONEBUTTONMODE_KEYPAD, 0));
    EXPECT(0, rb_phone_status_messages(phone, PHONESTATE_RINGMODE | PHONESTATE_LAMP
                                       | PHONESTATE_HANDSETHOOKSWITCH, 0, 0));

    /* A lamp: refused, set, and read again. */
    EXPECT(0, rb_phone_request_new(phone, &request));
    EXPECT(PHONEERR_INVALBUTTONLAMPID, rb_phone_set_lamp(request, phone, 5, PHONELAMPMODE_OFF));
    EXPECT(PHONEERR_INVALLAMPMODE, rb_phone_set_lamp(request, phone, 0, PHONELAMPMODE_WINK));
    EXPECT(0, rb_phone_set_lamp(request, phone, 0, PHONELAMPMODE_FLASH));
    EXPECT(LINEERR_INVALPARAM, rb_phone_set_lamp(request, phone, 0, PHONELAMPMODE_OFF));
    UNTIL(replies == 1 && lamps == 1);
    EXPECT(0, reply);
    EXPECT(LINEERR_INVALPARAM, rb_request_release(request));
    EXPECT(LINEERR_INVALPOINTER, rb_phone_lamp(phone, 0, NULL));
    EXPECT(0, rb_phone_lamp(phone, 0, &value));
    if (value != PHONELAMPMODE_FLASH)
        return 7;

    /* Volume and gain, of the handset only. */
    EXPECT(0, rb_phone_request_new(phone, &request));
    EXPECT(PHONEERR_INVALHOOKSWITCHDEV,
           rb_phone_set_gain(request, phone, PHONEHOOKSWITCHDEV_SPEAKER, 1));
    EXPECT(0, rb_phone_set_volume(request, phone, HANDSET, 7));
    UNTIL(replies == 2);
    EXPECT(0, rb_phone_request_new(phone, &request));
    EXPECT(0, rb_phone_set_gain(request, phone, HANDSET, 9));
    UNTIL(replies == 3);
    EXPECT(0, rb_phone_volume(phone, HANDSET, &volume));
    EXPECT(0, rb_phone_gain(phone, HANDSET, &value));
    if (volume != 7 || value != 9)
        return 8;

    /* A request of a line is none of a phone's. */
    EXPECT(0, rb_line_open(host, 0, &line));
    EXPECT(0, rb_request_new(line, &foreign));
    EXPECT(LINEERR_INVALPARAM, rb_phone_set_ring(foreign, phone, 1, 1));
    EXPECT(0, rb_line_close(line));

    /* It is rung without a call, and somebody lifts it in the second ring. */
    EXPECT(0, rb_phone_off_hook(phone, &value));
    if (value != 0)
        return 9;
    EXPECT(0, rb_phone_request_new(phone, &request));
    EXPECT(PHONEERR_INVALRINGMODE, rb_phone_set_ring(request, phone, 4, 1));
    EXPECT(0, rb_phone_set_ring(request, phone, 1, 0xFFFF));
    UNTIL(replies == 4 && ring == 1);
    EXPECT(0, rb_phone_ring(phone, &value, &volume));
    UNTIL(ring == 0 && hook == PHONEHOOKSWITCHMODE_MICSPEAKER);
    EXPECT(0, rb_phone_off_hook(phone, &value));
    if (value != HANDSET)
        return 10;

    /* The end. */
    EXPECT(0, rb_phone_request_new(phone, &request));
    EXPECT(0, rb_phone_close(phone));
    EXPECT(LINEERR_INVALPARAM, rb_request_free(request));
    EXPECT(PHONEERR_INVALPHONEHANDLE, rb_phone_close(phone));
    EXPECT(0, rb_phone_open(host, 0, &phone));
    EXPECT(0, rb_host_shutdown(host));
    EXPECT(PHONEERR_INVALPHONEHANDLE, rb_phone_close(phone));
    EXPECT(PHONEERR_UNINITIALIZED, rb_phone_open(host, 0, &phone));
    EXPECT(0, rb_host_free(host));
    return 0;
}
