// SPDX-License-Identifier: GPL-2.0-only
/*
 * The card as a whole: on and safe, its interrupt, and the watchdog.
 *
 * The card may be a bus master for as long as somebody has the UIO file, and not a
 * moment longer. However that one goes, the card is then made safe: DMA stopped,
 * interrupts masked, modules in reset and so every line on-hook. Userspace has the
 * registers mapped meanwhile and may write them in any order; the handler takes nothing
 * for granted but that it can mask what it does not know.
 */
#include <linux/interrupt.h>
#include <linux/io.h>
#include <linux/pid.h>
#include <linux/pid_namespace.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "ringback.h"
#include "tiger320.h"

/**
 * rbk_card_free - the last that held the card has let go
 * @ref:	its reference count
 */
void rbk_card_free(struct kref *ref)
{
	kfree(container_of(ref, struct rbk_card, ref));
}

/* Whether somebody is there. Not while @removed. */
static bool answers(const struct rbk_card *card)
{
	return ioread8(card->registers + TIGER_INTSTAT) != TIGER_ABSENT8 ||
	       ioread32(card->registers + TIGER_RX_CURRENT) != TIGER_ABSENT32;
}

/**
 * rbk_card_on - lets the card reach memory; the rest is userspace's
 * @card:	the card; rbk_card.control is held
 *
 * Return: 0, or -ENODEV if the card is gone.
 */
int rbk_card_on(struct rbk_card *card)
{
	int ret = -ENODEV;

	spin_lock_irq(&card->lock);
	if (!card->removed) {
		/* It may be back, after a reset for example. */
		card->absent = !answers(card);
		if (!card->absent)
			ret = 0;
	}
	spin_unlock_irq(&card->lock);
	if (!ret)
		pci_set_master(card->pdev);
	return ret;
}

/**
 * rbk_card_safe - stops DMA, masks interrupts, resets the modules
 * @card:	the card; rbk_card.control is held
 * @error:	what requests end with
 */
void rbk_card_safe(struct rbk_card *card, int error)
{
	spin_lock_irq(&card->lock);
	if (card->removed) {
		spin_unlock_irq(&card->lock);
		return;
	}
	iowrite8(0, card->registers + TIGER_OPER);
	iowrite8(0, card->registers + TIGER_MASK0);
	iowrite8(0, card->registers + TIGER_MASK1);
	iowrite8(TIGER_CNTL_SAFE, card->registers + TIGER_CNTL);
	iowrite8(0xff, card->registers + TIGER_INTSTAT);
	/* Writes are posted: they have arrived when a read comes back. */
	ioread8(card->registers + TIGER_CNTL);
	card->synced = false;
	spin_unlock_irq(&card->lock);

	pci_clear_master(card->pdev);
	rbk_requests_fail(card, error);
}

/*
 * Masks what nobody has a use for: AUX interrupts, and those of a card that is back after
 * it was absent. They would keep the line asserted until the kernel shuts it down for all
 * that share it.
 */
static irqreturn_t silence(struct rbk_card *card, u8 pending)
{
	if (!pending && !ioread8(card->registers + TIGER_MASK1))
		return IRQ_NONE;
	iowrite8(0, card->registers + TIGER_MASK1);
	if (card->absent)
		iowrite8(0, card->registers + TIGER_MASK0);
	iowrite8(pending, card->registers + TIGER_INTSTAT);
	return IRQ_HANDLED;
}

/*
 * Serves an interrupt of ours; @played gets the requests that have ended. The
 * acknowledgement comes last: a card in software may wait for it, and has not moved on then.
 */
static void serve(struct rbk_card *card, u8 status, struct list_head *played)
{
	if (status & TIGER_INT_ABORT) {
		/* It would only try again. Userspace sees that it stands still. */
		iowrite8(0, card->registers + TIGER_OPER);
		card->counters.aborts++;
	}
	if (status & TIGER_INT_RING) {
		card->counters.ticks++;
		if (card->open_ports)
			rbk_ring_tick(card, status, played);
		else if (status & TIGER_INT_HALF && status & TIGER_INT_END)
			card->counters.missed++;
	}
	iowrite8(status, card->registers + TIGER_INTSTAT);
}

/**
 * rbk_interrupt - acknowledges, counts, moves the samples of the open ports
 * @irq:	the interrupt, which other devices may share
 * @data:	the card
 *
 * Return: IRQ_NONE if it was another device's.
 */
irqreturn_t rbk_interrupt(int irq, void *data)
{
	struct rbk_card *card = data;
	irqreturn_t ret = IRQ_NONE;
	bool served = false;
	unsigned long flags;
	LIST_HEAD(played);
	u8 status, pending;

	spin_lock_irqsave(&card->lock, flags);
	if (card->removed)
		goto unlock;
	status = ioread8(card->registers + TIGER_INTSTAT);
	if (status == TIGER_ABSENT8 && !answers(card)) {
		if (!card->absent)
			schedule_delayed_work(&card->watchdog, 0);
		card->absent = true;
		goto unlock;
	}
	/* Status is latched whether it may interrupt or not, and others share the line. */
	pending = status ? status & ioread8(card->registers + TIGER_MASK0) : 0;
	if (!pending || card->absent) {
		ret = silence(card, pending);
	} else {
		serve(card, status, &played);
		ret = IRQ_HANDLED;
		served = true;
	}
unlock:
	spin_unlock_irqrestore(&card->lock, flags);

	if (served) {
		rbk_requests_complete(card, &played, 0);
		uio_event_notify(&card->uio);
	}
	return ret;
}

/* Whether a process has died, or is about to. */
static bool is_dead(pid_t process)
{
	struct task_struct *task;
	bool dead;

	rcu_read_lock();
	task = pid_task(find_pid_ns(process, &init_pid_ns), PIDTYPE_TGID);
	dead = !task || task->signal->flags & SIGNAL_GROUP_EXIT ||
	       (task->exit_state && thread_group_empty(task));
	rcu_read_unlock();
	return dead;
}

/* Whether a port's oldest request waits in vain: the error to end them with, or 0. */
static int forsaken(const struct rbk_port *port, const struct rbk_request *request)
{
	unsigned long since = port->since;

	if (time_after(port->card->moved, since))
		since = port->card->moved;
	if (time_after(jiffies, since + RBK_PATIENCE))
		return -EIO;
	/*
	 * The requests of a killed process hold their file, so nobody closes it before
	 * they have ended; and the dead should not keep a line busy for seconds.
	 */
	if (is_dead(request->owner))
		return -ECANCELED;
	return 0;
}

/* Looks after the requests of a port, and says whether there still are some. */
static bool watch_port(struct rbk_port *port)
{
	struct rbk_card *card = port->card;
	struct rbk_request *request;
	bool pending = false;
	LIST_HEAD(taken);
	int error = 0;

	spin_lock_irq(&card->lock);
	request = list_first_entry_or_null(&port->playing, struct rbk_request, list);
	if (!request)
		request = list_first_entry_or_null(&port->queued, struct rbk_request, list);
	if (request) {
		error = forsaken(port, request);
		if (error)
			rbk_requests_take(port, &taken, error);
		else
			pending = true;
	}
	spin_unlock_irq(&card->lock);
	rbk_requests_complete(card, &taken, error);
	return pending;
}

/**
 * rbk_watch - the watchdog; runs while there are requests
 * @work:	rbk_card.watchdog
 */
void rbk_watch(struct work_struct *work)
{
	struct rbk_card *card = container_of(to_delayed_work(work), struct rbk_card, watchdog);
	bool pending = false;
	bool gone;
	int i;

	spin_lock_irq(&card->lock);
	if (!rbk_gone(card))
		card->absent = !answers(card);
	gone = rbk_gone(card);
	spin_unlock_irq(&card->lock);
	if (gone) {
		rbk_requests_fail(card, -ENODEV);
		uio_event_notify(&card->uio);
		return;
	}

	for (i = 0; i < RBK_PORTS; i++)
		pending |= watch_port(&card->ports[i]);
	if (pending)
		schedule_delayed_work(&card->watchdog, RBK_WATCH);
}
