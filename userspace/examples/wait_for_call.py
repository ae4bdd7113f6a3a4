#!/usr/bin/env python3
"""Waits for a call and answers it: wait_for_call.py PROVIDER LINE."""

import select
import sys
import time
from ctypes import (CDLL, CFUNCTYPE, POINTER, Structure, byref, c_char_p, c_int, c_int32, c_size_t,
                    c_uint32, c_uint64, c_void_p, create_string_buffer)

# Messages and states of ringback/tspi.h.
LINE_CALLSTATE, LINE_REPLY, LINE_APPNEWCALL = 0x02, 0x0C, 0x17
OFFERING, CONNECTED = 0x02, 0x100


class Event(Structure):
    """rb_event."""
    _fields_ = [("size", c_uint32), ("message", c_uint32), ("line", c_uint64), ("call", c_uint64),
                ("request", c_uint32), ("result", c_int32), ("params", c_uint64 * 3),
                ("phone", c_uint64)]


Callback = CFUNCTYPE(None, c_void_p, POINTER(Event))
ringback = CDLL("libringback.so.0")
ringback.rb_error_text.restype = ringback.rb_failure.restype = c_char_p
# ctypes passes a plain int as a C int; handles have 64 bits.
for name, arguments in {
    "rb_host_open": [c_char_p, POINTER(c_uint64)],
    "rb_host_fd": [c_uint64, POINTER(c_int)],
    "rb_host_dispatch": [c_uint64, Callback, c_void_p, POINTER(c_uint32)],
    "rb_host_free": [c_uint64],
    "rb_line_open": [c_uint64, c_uint32, POINTER(c_uint64)],
    "rb_request_new": [c_uint64, POINTER(c_uint32)],
    "rb_call_answer": [c_uint32, c_uint64],
    "rb_call_caller": [c_uint64, c_char_p, c_size_t],
    "rb_call_close": [c_uint64],
}.items():
    getattr(ringback, name).argtypes = arguments


def check(result):
    """Ends the program if a function has failed."""
    if result != 0:
        reason = ringback.rb_failure() or ringback.rb_error_text(result)
        sys.exit(reason.decode())


def main():
    host, line, fd = c_uint64(), c_uint64(), c_int()
    check(ringback.rb_host_open(sys.argv[1].encode(), byref(host)))
    check(ringback.rb_line_open(host, int(sys.argv[2]), byref(line)))
    check(ringback.rb_host_fd(host, byref(fd)))
    calls, answered = [], []

    @Callback
    def on_event(_, event):
        event = event.contents
        if event.message == LINE_APPNEWCALL:
            calls.append(event.call)
        elif event.message == LINE_REPLY:
            print("request", event.request, "ended with", event.result, flush=True)
        elif event.message == LINE_CALLSTATE and event.params[0] == OFFERING:
            number, request = create_string_buffer(80), c_uint32()
            check(ringback.rb_call_caller(event.call, number, len(number)))
            print("a call from", number.value.decode() or "somebody", flush=True)
            check(ringback.rb_request_new(event.line, byref(request)))
            check(ringback.rb_call_answer(request, event.call))
        elif event.message == LINE_CALLSTATE and event.params[0] == CONNECTED:
            answered.append(event.call)

    until = time.monotonic() + 60
    while not answered and time.monotonic() < until:
        select.select([fd.value], [], [], 1.0)
        check(ringback.rb_host_dispatch(host, on_event, None, None))
    for call in calls:
        check(ringback.rb_call_close(call))
    check(ringback.rb_host_free(host))
    print("answered" if answered else "nobody has called")
    return 0 if answered else 1


if __name__ == "__main__":
    sys.exit(main())
