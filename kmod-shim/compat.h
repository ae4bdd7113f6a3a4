/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Everything that depends on the kernel's version, 6.1 and newer. One entry per
 * change; an entry goes when the last kernel that needs it is no longer supported.
 */
#ifndef RINGBACK_COMPAT_H
#define RINGBACK_COMPAT_H

#include <linux/hrtimer.h>
#include <linux/version.h>

/* hrtimer_setup() came with 6.13, hrtimer_init() went with 6.15. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 13, 0)
static inline void hrtimer_setup(struct hrtimer *timer,
				 enum hrtimer_restart (*function)(struct hrtimer *),
				 clockid_t clock, enum hrtimer_mode mode)
{
	hrtimer_init(timer, clock, mode);
	timer->function = function;
}
#endif

#endif
