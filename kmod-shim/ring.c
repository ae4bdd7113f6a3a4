// SPDX-License-Identifier: GPL-2.0-only
/*
 * The DMA ring: the card's position in it, and the samples of the open ports.
 *
 * The position. When the card interrupts, its current address *equals* that of the interrupt
 * word, so that the transfer of that word may not have happened yet: only the words before it
 * are complete. Each tick exchanges all words that were completed since the tick before: the
 * received sample is taken, and the sample to be played is put into the same word of the other
 * half, to which the card comes 16 words later.
 *
 * The distance. The current address gives it modulo 16 words. The latched status bits show
 * which interrupt words were passed at least once, and if both were, the clock adds whole
 * rounds. (A card in a virtual machine may be slower than 8000 words a second: its pace is
 * taken from the ticks that came in time.)
 *
 * Userspace has the DMA block mapped and can write all of it, so that nothing that is read
 * from it is used as anything but a sample.
 */
#include <linux/io.h>
#include <linux/math.h>
#include <linux/math64.h>
#include <linux/minmax.h>
#include <linux/poll.h>

#include "ringback.h"
#include "tiger320.h"

/* The word of each half at which the card interrupts. */
#define HALF	(RBK_WORDS / 2 - 1)
#define END	(RBK_WORDS - 1)

/* How long a word takes, and the limits of what it may seem to take. */
#define WORD_NS		125000
#define MAX_WORD_NS	(100 * WORD_NS)

/* The number of words from one place in the ring to another, going forward. */
static unsigned int forward(unsigned int from, unsigned int to)
{
	return (to - from) % RBK_WORDS;
}

/* The number of words that the card had to move to reach a word, at least one. */
static unsigned int distance(const struct rbk_card *card, unsigned int word)
{
	return forward(card->position + 1, word) + 1;
}

/* The number of words that the card has moved to get to @position. */
static u64 words_moved(const struct rbk_card *card, unsigned int position, u8 status, ktime_t now)
{
	unsigned int rest = forward(card->position, position);
	unsigned int least = 0;
	u64 rounds = 0;

	if (status & TIGER_INT_HALF)
		least = distance(card, HALF);
	if (status & TIGER_INT_END)
		least = max(least, distance(card, END));
	if (least > rest)
		rounds = 1;
	if (status & TIGER_INT_HALF && status & TIGER_INT_END) {
		u64 clock = div_u64(ktime_to_ns(ktime_sub(now, card->asked)), card->word_ns);

		clock += RBK_WORDS / 2 - 1;
		if (clock > rest)
			rounds = max(rounds, div_u64(clock - rest, RBK_WORDS));
	}
	return rest + rounds * RBK_WORDS;
}

/* Adapts to the card's pace, after a move of exactly one tick. */
static void keep_pace(struct rbk_card *card, ktime_t now)
{
	u64 word = div_u64(ktime_to_ns(ktime_sub(now, card->asked)), RBK_WORDS / 2);

	word = clamp_t(u64, word, WORD_NS, MAX_WORD_NS);
	card->word_ns = (7 * card->word_ns + (u32)word) / 8;
}

/* The interrupt bits of the words that were passed in a move. */
static u8 bits_passed(const struct rbk_card *card, u64 moved)
{
	u8 bits = 0;

	if (distance(card, HALF) <= moved)
		bits |= TIGER_INT_HALF;
	if (distance(card, END) <= moved)
		bits |= TIGER_INT_END;
	return bits;
}

/* The sample that a port plays with nothing queued. */
static u8 idle_sample(const struct rbk_port *port)
{
	u8 sample = READ_ONCE(port->card->dma[RBK_IDLE_OFFSET + port->slot]);

	return sample ? sample : RBK_SILENCE;
}

/* Takes the received sample, and puts in the one to play. */
static void exchange(struct rbk_port *port, unsigned int word, u64 index)
{
	struct rbk_card *card = port->card;
	u8 *byte = card->dma + word * RBK_PORTS + port->slot;
	struct rbk_request *request;
	u8 sample;

	if (port->rx_tail - port->rx_head < RBK_RX_SIZE)
		port->rx[port->rx_tail++ % RBK_RX_SIZE] = READ_ONCE(byte[RBK_RX_OFFSET]);
	else
		card->counters.overruns++;

	if (port->tx_head != port->tx_tail) {
		sample = port->tx[port->tx_head++ % RBK_TX_SIZE];
		/* It is played when the card has transferred this word again. */
		port->tx_due = index + RBK_WORDS + 1;
		port->dry = port->tx_head == port->tx_tail;
	} else {
		sample = idle_sample(port);
	}
	WRITE_ONCE(*byte, sample);

	while ((request = list_first_entry_or_null(&port->queued, struct rbk_request, list)) &&
	       request->end == port->tx_head) {
		request->due = port->tx_due;
		list_move_tail(&request->list, &port->playing);
	}
}

/* Moves the samples of a port, and wakes those who wait for them. */
static void exchange_words(struct rbk_port *port, unsigned int count, struct list_head *played)
{
	struct rbk_card *card = port->card;
	bool readable = port->rx_tail - port->rx_head >= port->rx_want;
	bool writable = RBK_TX_SIZE - (port->tx_tail - port->tx_head) >= port->tx_want;
	struct rbk_request *request;
	unsigned int i;

	for (i = count; i > 0; i--)
		exchange(port, (card->position - i) % RBK_WORDS, card->words - i);

	while ((request = list_first_entry_or_null(&port->playing, struct rbk_request, list)) &&
	       request->due <= card->words)
		list_move_tail(&request->list, played);

	if (!readable && port->rx_tail - port->rx_head >= port->rx_want)
		wake_up_interruptible_poll(&port->rx_wait, EPOLLIN | EPOLLRDNORM);
	if (!writable && RBK_TX_SIZE - (port->tx_tail - port->tx_head) >= port->tx_want)
		wake_up_interruptible_poll(&port->tx_wait, EPOLLOUT | EPOLLWRNORM);
}

/**
 * rbk_ring_clear - fills the port's part of the ring with silence
 * @port:	a port that is being opened or closed; rbk_card.lock is held
 *
 * The card goes round the ring even if it is not refilled, and would repeat the last two
 * milliseconds for ever.
 */
void rbk_ring_clear(struct rbk_port *port)
{
	u8 sample = idle_sample(port);
	unsigned int word;

	for (word = 0; word < RBK_WORDS; word++)
		WRITE_ONCE(port->card->dma[word * RBK_PORTS + port->slot], sample);
}

/**
 * rbk_ring_tick - serves an interrupt for samples
 * @card:	a card with open ports; rbk_card.lock is held
 * @status:	the interrupt bits, which were acknowledged before this
 * @now:	when the interrupt was served
 * @played:	gets the requests that have ended
 */
void rbk_ring_tick(struct rbk_card *card, u8 status, ktime_t now, struct list_head *played)
{
	u32 offset = ioread32(card->registers + TIGER_RX_CURRENT) -
		     (lower_32_bits(card->dma_address) + RBK_RX_OFFSET);
	unsigned int position, count;
	u64 moved;
	u8 passed;
	int i;

	/* One after the last word is the first one, in case the chip wraps after counting. */
	if (offset > RBK_WORDS * RBK_PORTS) {
		card->synced = false;
		return;
	}
	position = offset / RBK_PORTS % RBK_WORDS;
	if (!card->synced) {
		card->synced = true;
		card->word_ns = WORD_NS;
		card->position = position;
		card->asked = now;
		card->owed = 0;
		return;
	}

	moved = words_moved(card, position, status & ~card->owed, now);
	/* Words that were passed after the status was read: their bits are still to come. */
	passed = bits_passed(card, moved);
	card->owed = 0;
	if (passed & TIGER_INT_HALF && !(status & TIGER_INT_HALF))
		card->owed |= TIGER_INT_HALF;
	if (passed & TIGER_INT_END && !(status & TIGER_INT_END))
		card->owed |= TIGER_INT_END;

	if (moved == RBK_WORDS / 2)
		keep_pace(card, now);
	card->position = position;
	card->asked = now;
	card->words += moved;
	if (!moved)
		return;
	card->moved = jiffies;

	/*
	 * The word that the card is at may be half transferred, so that one word less is
	 * exchanged.
	 */
	count = min_t(u64, moved, RBK_WORDS - 1);
	card->counters.missed += DIV_ROUND_UP_ULL(moved - count, RBK_WORDS / 2);
	for (i = 0; i < RBK_PORTS; i++) {
		if (card->ports[i].open)
			exchange_words(&card->ports[i], count, played);
	}
}
