/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The Tiger320's registers (BAR1, byte offsets) that the kernel uses. Userspace uses all
 * others.
 */
#ifndef RINGBACK_TIGER320_H
#define RINGBACK_TIGER320_H

#include <linux/bits.h>

/* Resets and modes. */
#define TIGER_CNTL		0x00
/*
 * CNTL: external reset asserted (the modules, so every line is on-hook), DMA logic,
 * serial port and pulse counter in reset, interrupt status latched.
 */
#define TIGER_CNTL_SAFE		0x4e

/* Bit 0 runs DMA. */
#define TIGER_OPER		0x01

/* Interrupt enables, with the same bits as INTSTAT. */
#define TIGER_MASK0		0x04

/* Interrupt enables of the AUX pins, which interrupt by level. */
#define TIGER_MASK1		0x05

/* Interrupt status. Writing back the value that was read acknowledges. */
#define TIGER_INTSTAT		0x06
#define TIGER_INT_TX_HALF	BIT(0)
#define TIGER_INT_TX_END	BIT(1)
#define TIGER_INT_RX_HALF	BIT(2)
#define TIGER_INT_RX_END	BIT(3)
#define TIGER_INT_MASTER_ABORT	BIT(4)
#define TIGER_INT_TARGET_ABORT	BIT(5)
#define TIGER_INT_HALF		(TIGER_INT_TX_HALF | TIGER_INT_RX_HALF)
#define TIGER_INT_END		(TIGER_INT_TX_END | TIGER_INT_RX_END)
#define TIGER_INT_RING		(TIGER_INT_HALF | TIGER_INT_END)
#define TIGER_INT_ABORT		(TIGER_INT_MASTER_ABORT | TIGER_INT_TARGET_ABORT)
/* RX and TX move together, so that one of them gives one interrupt per tick. */
#define TIGER_INT_WANTED	(TIGER_INT_RX_HALF | TIGER_INT_RX_END | TIGER_INT_ABORT)

/* The bus address at which the RX side is, 32 bits. */
#define TIGER_RX_CURRENT	0x24

/* The size of the register window. */
#define TIGER_WINDOW		0x100

/* The value of a register of a card that is gone. */
#define TIGER_ABSENT8		0xff
#define TIGER_ABSENT32		0xffffffff

#endif
