/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The Tiger320's registers (BAR1, byte offsets), as far as the kernel touches them.
 * Everything else about the card is userspace's.
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

/* Interrupt enables, laid out as INTSTAT. */
#define TIGER_MASK0		0x04

/* Interrupt enables of the AUX pins, which interrupt by level. */
#define TIGER_MASK1		0x05

/* Interrupt status. Writing back what was read acknowledges. */
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
/* RX and TX move together, so one of them is enough for one interrupt per tick. */
#define TIGER_INT_WANTED	(TIGER_INT_RX_HALF | TIGER_INT_RX_END | TIGER_INT_ABORT)

/* Bus address the RX side is at, 32 bits. */
#define TIGER_RX_CURRENT	0x24

/* The registers reach to here. */
#define TIGER_WINDOW		0x100

/* What a register of a card that is gone reads. */
#define TIGER_ABSENT8		0xff
#define TIGER_ABSENT32		0xffffffff

#endif
