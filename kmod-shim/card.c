// SPDX-License-Identifier: GPL-2.0-only
/*
 * The card as a whole: switching it on and making it safe, its interrupt, and the watchdog.
 *
 * The card may be a bus master only while a process has the UIO file open. However that
 * process ends, the card is then made safe: DMA stopped, interrupts masked, modules in reset
 * and so every line on-hook. While userspace has the registers mapped it may write them in any
 * order. The handler therefore relies on nothing but this: it can mask interrupts that it does
 * not know or that do not go away. It does not read the masks, because nothing says that the
 * chip lets them be read: while the card is in use, every status bit that can be wanted is.
 *
 * If the kernel runs handlers in threads (PREEMPT_RT), this one runs in a thread as well: its
 * spin locks may sleep then, and no code below them relies on the opposite.
 */
#include <linux/interrupt.h>
#include <linux/io.h>
#include <linux/pid.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "ringback.h"
#include "tiger320.h"

/*
 * After so many interrupts in succession whose bits were still set when they had been
 * acknowledged, and after this time, the interrupt is taken for one that stays asserted. A chip
 * whose status is not latched keeps the bits for as long as it is at the word, 125 us.
 */
#define STANDING_MAX	16
#define STANDING_TIME	(500 * NSEC_PER_USEC)

/*
 * Idle states that take longer to leave delay interrupts so much that the sound is distorted,
 * in microseconds.
 */
#define IDLE_LATENCY	10

/* The number of requests that are taken back without releasing the lock. */
#define BATCH	64

/**
 * rbk_card_free - frees a card when its last reference is dropped
 * @ref:	its reference count
 */
void rbk_card_free(struct kref *ref)
{
	struct rbk_card *card = container_of(ref, struct rbk_card, ref);

	if (card->stand_in)
		__free_page(card->stand_in);
	kfree(card);
}

/**
 * rbk_card_answers - whether the card responds to reads
 * @card:	a card that is not @removed
 *
 * Return: false if it reads all ones.
 */
bool rbk_card_answers(const struct rbk_card *card)
{
	return ioread8(card->registers + TIGER_INTSTAT) != TIGER_ABSENT8 ||
	       ioread32(card->registers + TIGER_RX_CURRENT) != TIGER_ABSENT32;
}

/**
 * rbk_card_on - lets the card access memory; userspace does the rest
 * @card:	the card; rbk_card.control is held
 *
 * Return: 0, -ENODEV if the card is gone, or -EBUSY while it sleeps or is being reset.
 */
int rbk_card_on(struct rbk_card *card)
{
	int ret = -ENODEV;

	spin_lock_irq(&card->lock);
	if (card->paused) {
		ret = -EBUSY;
	} else if (!card->removed) {
		/* It may have come back, for example after a reset. */
		card->absent = !rbk_card_answers(card);
		if (!card->absent)
			ret = 0;
		else
			/* The watchdog wakes those who sleep on its ports. */
			rbk_watch_now(card);
	}
	spin_unlock_irq(&card->lock);
	if (ret)
		return ret;
	pci_set_master(card->pdev);
	if (!cpu_latency_qos_request_active(&card->latency))
		cpu_latency_qos_add_request(&card->latency, IDLE_LATENCY);
	return 0;
}

/* Stops DMA, masks interrupts, resets the modules. Under rbk_card.lock. */
static void quiet(struct rbk_card *card)
{
	iowrite8(0, card->registers + TIGER_OPER);
	iowrite8(0, card->registers + TIGER_MASK0);
	iowrite8(0, card->registers + TIGER_MASK1);
	iowrite8(TIGER_CNTL_SAFE, card->registers + TIGER_CNTL);
	iowrite8(0xff, card->registers + TIGER_INTSTAT);
	/* Writes are posted: when a read returns, they have arrived. */
	ioread8(card->registers + TIGER_CNTL);
	card->synced = false;
}

/**
 * rbk_card_safe - stops DMA, masks interrupts, resets the modules
 * @card:	the card; rbk_card.control is held
 * @error:	the error with which requests end
 */
void rbk_card_safe(struct rbk_card *card, int error)
{
	if (cpu_latency_qos_request_active(&card->latency))
		cpu_latency_qos_remove_request(&card->latency);

	spin_lock_irq(&card->lock);
	if (card->removed) {
		spin_unlock_irq(&card->lock);
		return;
	}
	quiet(card);
	spin_unlock_irq(&card->lock);

	pci_clear_master(card->pdev);
	rbk_requests_fail(card, error);
}

/**
 * rbk_card_pause - makes the card safe, and does not access it from then on
 * @card:	a card that is about to sleep or to be reset
 * @error:	the error with which requests end
 */
void rbk_card_pause(struct rbk_card *card, int error)
{
	mutex_lock(&card->control);
	rbk_card_safe(card, error);
	spin_lock_irq(&card->lock);
	card->paused = true;
	spin_unlock_irq(&card->lock);
	mutex_unlock(&card->control);
}

/**
 * rbk_card_continue - undoes rbk_card_pause()
 * @card:	a card in its state after power-on, or gone
 *
 * The process that has the card starts it again, as after any stop.
 */
void rbk_card_continue(struct rbk_card *card)
{
	mutex_lock(&card->control);
	spin_lock_irq(&card->lock);
	card->paused = false;
	spin_unlock_irq(&card->lock);
	/*
	 * If the card is gone, wakes all who sleep on it. After a suspend they check by
	 * themselves: they were woken when it began, and are thawed after this. After a reset
	 * of the card they are asleep again.
	 */
	if (card->controlled)
		rbk_card_on(card);
	mutex_unlock(&card->control);
}

/**
 * rbk_card_retire - makes the card safe, and takes it away from all who use it
 * @card:	the card; nothing accesses it, and nothing new is queued, after that
 */
void rbk_card_retire(struct rbk_card *card)
{
	mutex_lock(&card->control);
	/* This comes first, so that there is no interrupt that is not acknowledged. */
	rbk_card_safe(card, -ENODEV);
	spin_lock_irq(&card->lock);
	if (card->removed) {
		spin_unlock_irq(&card->lock);
		mutex_unlock(&card->control);
		return;
	}
	card->removed = true;
	spin_unlock_irq(&card->lock);

	rbk_uio_revoke(card);
	/* Until now a process may have written its registers. */
	spin_lock_irq(&card->lock);
	quiet(card);
	spin_unlock_irq(&card->lock);
	mutex_unlock(&card->control);
}

/*
 * Masks interrupts that are not used: AUX interrupts, which no status shows and which only the
 * process that has the card can have enabled, and those of a card that is back after it was
 * absent. They would keep the line asserted until the kernel disables it for all devices that
 * share it.
 */
static irqreturn_t silence(struct rbk_card *card, u8 pending)
{
	if (READ_ONCE(card->controlled))
		iowrite8(0, card->registers + TIGER_MASK1);
	if (!pending)
		return IRQ_NONE;
	iowrite8(0, card->registers + TIGER_MASK0);
	iowrite8(pending, card->registers + TIGER_INTSTAT);
	return IRQ_HANDLED;
}

/*
 * Acknowledges and serves an interrupt; @played gets the requests that have ended. The chip's
 * specification wants a status back as soon as it was read.
 */
static void serve(struct rbk_card *card, u8 status, ktime_t now, struct list_head *played)
{
	iowrite8(status, card->registers + TIGER_INTSTAT);
	if (status & TIGER_INT_ABORT) {
		/* DMA would only fail again. Userspace notices that the card stands still. */
		iowrite8(0, card->registers + TIGER_OPER);
		card->counters.aborts++;
	}
	if (status & TIGER_INT_RING) {
		card->counters.ticks++;
		if (card->open_ports)
			rbk_ring_tick(card, status, now, played);
		else if (status & TIGER_INT_HALF && status & TIGER_INT_END)
			card->counters.missed++;
	}
}

/*
 * Whether an interrupt stays although it is acknowledged: its bits are still set, again and
 * again. (If userspace has cleared CNTL bit 6, the chip keeps them set for as long as it is at
 * the word, which is for ever if it stands still there.) Such an interrupt would keep a
 * processor busy for ever.
 */
static bool stands(struct rbk_card *card, u8 pending, ktime_t now)
{
	if (!(ioread8(card->registers + TIGER_INTSTAT) & pending)) {
		card->standing = 0;
		return false;
	}
	if (!card->standing++)
		card->standing_since = now;
	if (card->standing < STANDING_MAX ||
	    ktime_to_ns(ktime_sub(now, card->standing_since)) < STANDING_TIME)
		return false;
	card->standing = 0;
	return true;
}

/**
 * rbk_interrupt - acknowledges and counts the interrupt, and moves samples of open ports
 * @irq:	the interrupt, which other devices may share
 * @data:	the card
 *
 * Return: IRQ_NONE if the interrupt was another device's.
 */
irqreturn_t rbk_interrupt(int irq, void *data)
{
	struct rbk_card *card = data;
	irqreturn_t ret = IRQ_NONE;
	bool served = false, masked = false, ended;
	unsigned long flags;
	LIST_HEAD(played);
	u8 status, pending = 0;
	ktime_t now;

	spin_lock_irqsave(&card->lock, flags);
	if (card->removed || card->paused)
		goto unlock;
	status = ioread8(card->registers + TIGER_INTSTAT);
	if (status == TIGER_ABSENT8 && !rbk_card_answers(card)) {
		if (!card->absent)
			rbk_watch_now(card);
		card->absent = true;
		goto unlock;
	}
	/*
	 * Other devices share the line. A card that nobody uses is masked, and acknowledged, so
	 * that it has no status.
	 */
	pending = READ_ONCE(card->controlled) ? status & TIGER_INT_WANTED : 0;
	if (!pending || card->absent) {
		ret = silence(card, pending);
	} else {
		now = ktime_get();
		serve(card, status, now, &played);
		/* A card in software goes on when its status is read again, here. */
		masked = stands(card, pending, now);
		if (masked)
			iowrite8(0, card->registers + TIGER_MASK0);
		ret = IRQ_HANDLED;
		/* A process that opened it before that reads the count anyway. */
		served = card->announced;
	}
unlock:
	/* Read under the lock: aio may still take a request back from this list. */
	ended = !list_empty(&played);
	spin_unlock_irqrestore(&card->lock, flags);

	if (ended)
		rbk_requests_complete(card, &played, 0);
	if (masked)
		dev_warn_ratelimited(&card->pdev->dev,
				     "interrupt %#x stays when it was acknowledged: masked\n",
				     pending);
	if (served)
		uio_event_notify(&card->uio);
	return ret;
}

/**
 * rbk_watch_now - makes the watchdog run at once
 * @card:	the card; rbk_card.lock is held
 */
void rbk_watch_now(struct rbk_card *card)
{
	/* Once the card is @removed, the end of the watchdog would not be waited for. */
	if (!card->removed)
		mod_delayed_work(rbk_workqueue, &card->watchdog, 0);
}

/*
 * Whether a process can't see the end of its requests any more: it has died or is about to, or
 * it executes another program, for which it waits until io_uring has all requests back. (aio
 * cancels them.) An execve(2) may fail early, so that it has to be seen in progress twice.
 */
static bool is_over(struct rbk_owner *owner)
{
	struct task_struct *task;
	bool dead;

	rcu_read_lock();
	task = pid_task(owner->pid, PIDTYPE_TGID);
	dead = !task || task->signal->flags & SIGNAL_GROUP_EXIT ||
	       (task->exit_state && thread_group_empty(task));
	if (dead || !task->in_execve)
		owner->executing = 0;
	else if (!owner->executing)
		owner->executing = jiffies ?: 1;
	else if (time_after_eq(jiffies, owner->executing + RBK_WATCH / 2))
		dead = true;
	rcu_read_unlock();
	return dead;
}

/* Takes back some requests of processes that are over. Returns whether there may be more. */
static bool forsake_some(struct rbk_port *port, struct list_head *forsaken, struct list_head *idle)
{
	struct rbk_owner *owner, *next_owner;
	struct rbk_request *request, *next;
	unsigned int count = 0;

	list_for_each_entry_safe(owner, next_owner, &port->owners, list) {
		if (list_empty(&owner->requests)) {
			if (!owner->users)
				list_move(&owner->list, idle);
			continue;
		}
		if (!is_over(owner))
			continue;
		list_for_each_entry_safe(request, next, &owner->requests, owned) {
			if (count++ == BATCH)
				return true;
			rbk_request_forsake(port, request, forsaken);
		}
	}
	return false;
}

/*
 * The requests of a process that is over keep their file open, so that it is not closed before
 * they have ended. The process waits for them, whichever requests come before them.
 */
static void watch_owners(struct rbk_port *port)
{
	struct rbk_card *card = port->card;
	bool more;

	do {
		LIST_HEAD(forsaken);
		LIST_HEAD(idle);

		spin_lock_irq(&card->lock);
		more = forsake_some(port, &forsaken, &idle);
		spin_unlock_irq(&card->lock);
		rbk_requests_complete(card, &forsaken, -ECANCELED);
		rbk_owners_free(&idle);
	} while (more);
}

/* Whether a port's oldest request waits in vain for a card that stands still. */
static bool stands_still(const struct rbk_port *port)
{
	unsigned long since = port->since;

	if (time_after(port->card->moved, since))
		since = port->card->moved;
	return time_after(jiffies, since + RBK_PATIENCE);
}

/* Checks the requests of a port, and returns whether there still are some. */
static bool watch_port(struct rbk_port *port)
{
	struct rbk_card *card = port->card;
	LIST_HEAD(taken);
	bool pending;

	watch_owners(port);
	spin_lock_irq(&card->lock);
	pending = !list_empty(&port->playing) || !list_empty(&port->queued);
	if (pending && stands_still(port)) {
		rbk_requests_take(port, &taken, -EIO);
		pending = false;
	}
	pending |= !list_empty(&port->owners);
	spin_unlock_irq(&card->lock);
	rbk_requests_complete(card, &taken, -EIO);
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
	LIST_HEAD(cancelled);
	bool gone;
	int i;

	spin_lock_irq(&card->lock);
	if (!rbk_gone(card) && !card->paused)
		card->absent = !rbk_card_answers(card);
	gone = rbk_gone(card);
	list_splice_init(&card->cancelled, &cancelled);
	spin_unlock_irq(&card->lock);
	rbk_requests_complete(card, &cancelled, -ECANCELED);
	if (gone) {
		rbk_requests_fail(card, -ENODEV);
		if (READ_ONCE(card->announced))
			uio_event_notify(&card->uio);
	}

	for (i = 0; i < RBK_PORTS; i++)
		pending |= watch_port(&card->ports[i]);
	if (pending)
		queue_delayed_work(rbk_workqueue, &card->watchdog, RBK_WATCH);
}
