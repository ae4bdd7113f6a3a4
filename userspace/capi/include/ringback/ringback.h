/*
 * ringback/ringback.h: the host of telephony service providers, for C programs (libringback).
 *
 * A provider is a shared library that exports TSPI (ringback/tspi.h). The host loads it; the
 * application opens its lines and phones, makes and answers calls, and gets the completions of its
 * requests and the events of its lines and phones by a callback. For C99, C11 and C++17.
 *
 * Results. Every function that returns int32_t returns 0, or a negative LINEERR_ of tspi.h. After
 * an error nothing has been done, unless the function's comment says otherwise. A NULL pointer is
 * LINEERR_INVALPOINTER. A handle that is closed or was never given out is LINEERR_INVALAPPHANDLE
 * (host), LINEERR_INVALLINEHANDLE or LINEERR_INVALCALLHANDLE; a request that is not outstanding,
 * was made already or is of another line or phone is LINEERR_INVALPARAM. Functions of phones return
 * a PHONEERR_ where the provider or the phone itself is the cause, for example
 * PHONEERR_INVALPHONEHANDLE for a handle of no open phone. An address that is not UTF-8 is
 * LINEERR_INVALADDRESS. Any function may be called from any thread, also in callbacks.
 *
 * Requests. A request is an operation that takes time. Take an id by rb_request_new, store it, and
 * pass it to rb_call_make, rb_call_dial, rb_call_answer or rb_call_drop. If the function returns
 * 0, exactly one LINE_REPLY with this id is delivered, after which the id is free. If it returns an
 * error there is none, and the id can be used again, or freed by rb_request_free. For a phone the
 * id comes from rb_phone_request_new, the functions are rb_phone_set_..., and the reply is
 * PHONE_REPLY.
 *
 * Delivery. The LINE_REPLY of a request, and whatever follows it on its line, is delivered only
 * after the function that made the request has returned. A thread that dispatches the replies to
 * its own requests itself has thereby returned. To another thread a reply is delivered once the
 * thread that made the request has called any other function of this header or has ended, or once
 * rb_request_release was called for the request. Callbacks neither overlap nor nest. On one line
 * they come in order; between lines there is no order.
 *
 * Closing. rb_line_close, rb_call_close, rb_phone_close and rb_host_shutdown wait until what they
 * close is over, for some seconds at most. Then they return LINEERR_OPERATIONFAILED, but line or
 * call are closed all the same. Requests that are outstanding are completed with an error, and
 * their replies are still dispatched; no event of the line or call follows. Do not call these
 * functions while holding a lock that a callback takes: the callback can't return then, and they
 * wait for their whole time limit.
 */
#ifndef RINGBACK_RINGBACK_H
#define RINGBACK_RINGBACK_H

#include <ringback/tspi.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Handles. Never 0, and never given out twice. */
typedef uint64_t rb_host;
typedef uint64_t rb_line;
typedef uint64_t rb_call;
typedef uint64_t rb_phone;
/* 1 to 0x7FFFFFFF, unique while the request is outstanding. */
typedef uint32_t rb_request;

/* A completion or an event. Later versions of the library may add members at the end. */
typedef struct rb_event {
    uint32_t size;       /* sizeof(rb_event) in the library */
    uint32_t message;    /* LINE_REPLY, LINE_APPNEWCALL, LINE_CALLSTATE, PHONE_STATE, ... */
    rb_line line;        /* 0 if it is about a phone */
    rb_call call;        /* 0 if it is about no call */
    rb_request request;  /* LINE_REPLY, PHONE_REPLY: the request that is complete; else 0 */
    int32_t result;      /* LINE_REPLY, PHONE_REPLY: 0 or a negative error */
    uint64_t params[3];  /* dwParam1 to dwParam3 of all other messages, as TSPI has them */
    rb_phone phone;      /* 0 if it is about a line */
} rb_event;

RINGBACK_ASSERT(sizeof(rb_event) == 64, size_of_rb_event);
RINGBACK_ASSERT(offsetof(rb_event, line) == 8, rb_event_line);
RINGBACK_ASSERT(offsetof(rb_event, call) == 16, rb_event_call);
RINGBACK_ASSERT(offsetof(rb_event, request) == 24, rb_event_request);
RINGBACK_ASSERT(offsetof(rb_event, result) == 28, rb_event_result);
RINGBACK_ASSERT(offsetof(rb_event, params) == 32, rb_event_params);
RINGBACK_ASSERT(offsetof(rb_event, phone) == 56, rb_event_phone);

/* The application's callback. The event is valid until it returns. It must not throw. */
typedef void (*rb_callback)(void *context, const rb_event *event);

/* Hosts. */

/* Loads the provider at this path and starts it. */
int32_t rb_host_open(const char *provider, rb_host *host);
/* Why the last rb_host_open on this thread has failed, in words. Valid until the next one. */
const char *rb_failure(void);
/* A sentence about an error, for as long as the process lives. */
const char *rb_error_text(int32_t error);
/* The number of lines. Their device ids are 0 to count - 1. */
int32_t rb_host_lines(rb_host host, uint32_t *count);
/* The name of a line, to be shown, with its NUL; LINEERR_STRUCTURETOOSMALL if it does not fit. */
int32_t rb_host_line_name(rb_host host, uint32_t device_id, char *name, size_t size);
/* The number of phones. Their device ids are 0 to count - 1. A telephone on a line is a phone as
 * well, which is opened, closed and set by itself. */
int32_t rb_host_phones(rb_host host, uint32_t *count);
/* The name of a phone, as rb_host_line_name; PHONEERR_NODEVICE if there is no such phone. */
int32_t rb_host_phone_name(rb_host host, uint32_t device_id, char *name, size_t size);
/* Closes all lines and phones and shuts the provider down. What is queued can still be
 * dispatched. */
int32_t rb_host_shutdown(rb_host host);
/* As rb_host_shutdown, and frees the host. What is still queued is dropped, and no callback runs
 * after this has returned. */
int32_t rb_host_free(rb_host host);

/* Delivery. */

/* A descriptor for poll(2): it is readable when there may be something to dispatch. Do not read or
 * close it; rb_host_free closes it. */
int32_t rb_host_fd(rb_host host, int *fd);
/* Delivers on this thread what can be delivered now, and returns. `told` may be NULL; otherwise it
 * is set to the number of callbacks, which is 0 also if another thread is dispatching, or if this
 * is called by a callback. LINEERR_OPERATIONUNAVAIL after rb_host_deliver. */
int32_t rb_host_dispatch(rb_host host, rb_callback callback, void *context, uint32_t *told);
/* Starts a thread that delivers everything from now on, until rb_host_free. */
int32_t rb_host_deliver(rb_host host, rb_callback callback, void *context);

/* Lines. */

/* Opens a line as its owner, who also gets its incoming calls (LINE_APPNEWCALL). */
int32_t rb_line_open(rb_host host, uint32_t device_id, rb_line *line);
/* Closes a line: its calls are hung up and closed. */
int32_t rb_line_close(rb_line line);
/* Sets in_service to 1 if the line works: an exchange feeds it, or it is a telephone's. Else 0. */
int32_t rb_line_in_service(rb_line line, int *in_service);

/* Requests. */

/* Takes an id for a request on this line, or on a call of this line. */
int32_t rb_request_new(rb_line line, rb_request *request);
/* Allows the completion of the request at any time from now on, on any thread, because the id is
 * stored. May be called before or after the request is made. */
int32_t rb_request_release(rb_request request);
/* Frees an id with which no request was made. */
int32_t rb_request_free(rb_request request);

/* Calls. Close each call that was made or announced by rb_call_close. Until the LINE_REPLY of
 * rb_call_make a call can't be used for anything else (LINEERR_INVALCALLSTATE). */

/* Makes a call: TSPI_lineMakeCall. LINE_REPLY comes when the call exists, LINE_CALLSTATE follows.
 * An empty address takes the line off-hook, to dial by rb_call_dial. */
int32_t rb_call_make(rb_request request, rb_line line, const char *address, rb_call *call);
/* Dials more: TSPI_lineDial. */
int32_t rb_call_dial(rb_request request, rb_call call, const char *address);
/* Answers a call that is offered: TSPI_lineAnswer. */
int32_t rb_call_answer(rb_request request, rb_call call);
/* Hangs up: TSPI_lineDrop. */
int32_t rb_call_drop(rb_request request, rb_call call);
/* Closes a call, in any state, and its handle: TSPI_lineCloseCall. */
int32_t rb_call_close(rb_call call);
/* The current state (LINECALLSTATE_) and its mode, from the provider. */
int32_t rb_call_state(rb_call call, uint32_t *state, uint32_t *mode);
/* The number of the party that calls, with its NUL; empty if it is not known. */
int32_t rb_call_caller(rb_call call, char *number, size_t size);
/* Sends DTMF digits, each for digit_ms milliseconds; 0 is the usual duration. LINE_GENERATE reports
 * their end, with the end-to-end id in params[1]. */
int32_t rb_call_generate_digits(rb_call call, const char *digits, uint32_t digit_ms,
                                uint32_t *end_to_end_id);
/* Reports the digits of the other side by LINE_MONITORDIGITS; stops if `on` is 0. */
int32_t rb_call_monitor_digits(rb_call call, int on);

/* Phones. What a phone can do and reports differs from phone to phone: see PHONECAPS in tspi.h.
 * A hook switch is one PHONEHOOKSWITCHDEV_; volumes and gains are 0 to 0xFFFF. */

/* Opens a phone: TSPI_phoneOpen. */
int32_t rb_phone_open(rb_host host, uint32_t device_id, rb_phone *phone);
/* Closes a phone: TSPI_phoneClose. */
int32_t rb_phone_close(rb_phone phone);
/* Chooses the changes (PHONESTATE_), and the modes and states of buttons (PHONEBUTTONMODE_,
 * PHONEBUTTONSTATE_), that PHONE_STATE and PHONE_BUTTON report from now on; at first none. */
int32_t rb_phone_status_messages(rb_phone phone, uint32_t states, uint32_t button_modes,
                                 uint32_t button_states);
/* The hook switches that are off-hook, as bits. */
int32_t rb_phone_off_hook(rb_phone phone, uint32_t *hook_switches);
/* The mode of a lamp: one PHONELAMPMODE_. */
int32_t rb_phone_lamp(rb_phone phone, uint32_t lamp, uint32_t *mode);
/* The mode in which the phone rings, 0 if it does not, and the volume of its ringing. */
int32_t rb_phone_ring(rb_phone phone, uint32_t *mode, uint32_t *volume);
/* The volume of a hook switch's speaker, and the gain of its microphone. */
int32_t rb_phone_volume(rb_phone phone, uint32_t hook_switch, uint32_t *volume);
int32_t rb_phone_gain(rb_phone phone, uint32_t hook_switch, uint32_t *gain);
/* Takes an id for a request on this phone; as rb_request_new. */
int32_t rb_phone_request_new(rb_phone phone, rb_request *request);
/* Sets a lamp: TSPI_phoneSetLamp. */
int32_t rb_phone_set_lamp(rb_request request, rb_phone phone, uint32_t lamp, uint32_t mode);
/* Rings the phone without a call, or stops that with the mode 0: TSPI_phoneSetRing. */
int32_t rb_phone_set_ring(rb_request request, rb_phone phone, uint32_t mode, uint32_t volume);
/* Set the volume and the gain of a hook switch: TSPI_phoneSetVolume, TSPI_phoneSetGain. */
int32_t rb_phone_set_volume(rb_request request, rb_phone phone, uint32_t hook_switch,
                            uint32_t volume);
int32_t rb_phone_set_gain(rb_request request, rb_phone phone, uint32_t hook_switch, uint32_t gain);

#ifdef __cplusplus
}
#endif

#endif
