// SPDX-License-Identifier: GPL-2.0-only
/*
 * Requests that wait until their samples have been played.
 *
 * A request ends exactly once: when its last sample has left the card; with -EIO when the card
 * stands still or is made safe; with -ENODEV when it is gone; with -ECANCELED when the writer
 * dropped what was queued, or when its process has died, executes another program or cancels
 * it (aio). io_uring can't cancel such a request, so that nothing else ends it. Therefore
 * nothing may delay its end: neither requests of other processes before it, nor a worker that
 * is shared with the rest of the kernel.
 *
 * The number of requests that can end in one interrupt is bounded by the samples: each has at
 * least one sample of its own, and of each port at most the samples in the ring and as many
 * that are put into it end at once.
 */
#include <linux/pid.h>
#include <linux/poll.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "ringback.h"

/* Under rbk_card.lock. */
static struct rbk_owner *find_owner(struct rbk_port *port, struct pid *pid)
{
	struct rbk_owner *owner;

	list_for_each_entry(owner, &port->owners, list) {
		if (owner->pid == pid) {
			owner->users++;
			return owner;
		}
	}
	return NULL;
}

/**
 * rbk_owner_get - returns the calling process as the owner of a request to be added
 * @port:	the port
 *
 * Return: the owner, which stays until its user count is decremented, or NULL without memory.
 */
struct rbk_owner *rbk_owner_get(struct rbk_port *port)
{
	struct rbk_card *card = port->card;
	/* A thread of io_uring belongs to the process that it works for. */
	struct pid *pid = task_tgid(current);
	struct rbk_owner *owner, *made;

	spin_lock_irq(&card->lock);
	owner = find_owner(port, pid);
	spin_unlock_irq(&card->lock);
	if (owner)
		return owner;

	made = kzalloc(sizeof(*made), GFP_KERNEL_ACCOUNT);
	if (!made)
		return NULL;
	INIT_LIST_HEAD(&made->requests);
	made->pid = get_pid(pid);
	made->users = 1;
	spin_lock_irq(&card->lock);
	/* Another thread may have added it in the meantime. */
	owner = find_owner(port, pid);
	if (!owner)
		list_add(&made->list, &port->owners);
	spin_unlock_irq(&card->lock);
	if (!owner)
		return made;
	put_pid(made->pid);
	kfree(made);
	return owner;
}

/**
 * rbk_owners_free - frees owners
 * @owners:	owners without requests that are on no port's list any more
 */
void rbk_owners_free(struct list_head *owners)
{
	struct rbk_owner *owner, *next;

	list_for_each_entry_safe(owner, next, owners, list) {
		put_pid(owner->pid);
		kfree(owner);
	}
}

/**
 * rbk_request_add - adds a request that waits for everything that is queued now
 * @port:	the port, which has samples queued; rbk_card.lock is held
 * @request:	the request
 *
 * Return: 0, or -ECANCELED.
 */
int rbk_request_add(struct rbk_port *port, struct rbk_request *request)
{
	struct rbk_card *card = port->card;

	if (request->cancelled)
		return -ECANCELED;
	if (list_empty(&port->queued) && list_empty(&port->playing))
		port->since = jiffies;
	request->end = port->tx_tail;
	list_add_tail(&request->list, &port->queued);
	if (request->owner)
		list_add_tail(&request->owned, &request->owner->requests);
	queue_delayed_work(rbk_workqueue, &card->watchdog, RBK_WATCH);
	return 0;
}

/* Drops the samples that a port has to play. */
static void drop(struct rbk_port *port, int error)
{
	port->tx_head = port->tx_tail;
	port->dry = false;
	WRITE_ONCE(port->drops, port->drops + 1);
	port->drop_error = error;
	wake_up_interruptible_poll(&port->tx_wait, EPOLLOUT | EPOLLWRNORM);
}

/**
 * rbk_request_forsake - takes back a request for which no process waits any more
 * @port:	its port; rbk_card.lock is held
 * @request:	a request that was added and has not been completed
 * @forsaken:	gets it, to be completed by rbk_requests_complete()
 *
 * Its samples are dropped if they are the last that are queued and no other request is left.
 * Otherwise they are played, because samples of another process follow them.
 */
void rbk_request_forsake(struct rbk_port *port, struct rbk_request *request,
			 struct list_head *forsaken)
{
	list_move_tail(&request->list, forsaken);
	list_del_init(&request->owned);
	if (list_empty(&port->queued) && list_empty(&port->playing) &&
	    request->end == port->tx_tail)
		drop(port, -ECANCELED);
}

/**
 * rbk_request_cancel - cancels a request of aio: by io_cancel(2), exit or execve(2)
 * @iocb:	the request's iocb
 *
 * It can't be completed here, under aio's lock, so that the watchdog does it at once.
 *
 * Return: 0.
 */
int rbk_request_cancel(struct kiocb *iocb)
{
	struct rbk_port *port = iocb->ki_filp->private_data;
	struct rbk_card *card = port->card;
	struct rbk_request *request;
	unsigned long flags;

	spin_lock_irqsave(&card->lock, flags);
	request = iocb->private;
	if (request) {
		request->cancelled = true;
		if (!list_empty(&request->list)) {
			rbk_request_forsake(port, request, &card->cancelled);
			rbk_watch_now(card);
		}
	}
	spin_unlock_irqrestore(&card->lock, flags);
	return 0;
}

/**
 * rbk_requests_take - drops what a port has to play
 * @port:	the port; rbk_card.lock is held
 * @taken:	gets the requests, to be completed by rbk_requests_complete()
 * @error:	the error with which they will end
 */
void rbk_requests_take(struct rbk_port *port, struct list_head *taken, int error)
{
	drop(port, error);
	list_splice_tail_init(&port->playing, taken);
	list_splice_tail_init(&port->queued, taken);
}

/**
 * rbk_requests_complete - completes requests, and wakes those who wait for them
 * @card:	the card; no lock is held
 * @requests:	requests that are on no port's list any more
 * @error:	0 for success, or a negative errno
 */
void rbk_requests_complete(struct rbk_card *card, struct list_head *requests, int error)
{
	struct rbk_request *request;
	unsigned long flags;

	for (;;) {
		/* A sleeper that got a signal removes its request from the list itself. */
		spin_lock_irqsave(&card->lock, flags);
		request = list_first_entry_or_null(requests, struct rbk_request, list);
		if (request) {
			list_del_init(&request->list);
			list_del_init(&request->owned);
		}
		spin_unlock_irqrestore(&card->lock, flags);
		if (!request)
			return;

		if (request->iocb) {
			request->iocb->ki_complete(request->iocb, error ?: (long)request->size);
			kfree(request);
		} else {
			request->result = error;
			complete(request->done);
		}
	}
}

/**
 * rbk_requests_fail - ends the requests of all ports, and drops what they have to play
 * @card:	the card; no lock is held
 * @error:	a negative errno
 */
void rbk_requests_fail(struct rbk_card *card, int error)
{
	unsigned long flags;
	LIST_HEAD(failed);
	int i;

	spin_lock_irqsave(&card->lock, flags);
	for (i = 0; i < RBK_PORTS; i++)
		rbk_requests_take(&card->ports[i], &failed, error);
	spin_unlock_irqrestore(&card->lock, flags);
	rbk_requests_complete(card, &failed, error);
	rbk_ports_wake(card);
}

/**
 * rbk_request_wait - sleeps until a request has ended
 * @card:	the card
 * @request:	a request that was added and has @done
 *
 * Return: 0, the error it ended with, or -ERESTARTSYS after a signal; the request is on no
 * list any more then.
 */
int rbk_request_wait(struct rbk_card *card, struct rbk_request *request)
{
	if (wait_for_completion_interruptible(request->done)) {
		bool pending;

		spin_lock_irq(&card->lock);
		pending = !list_empty(&request->list);
		list_del_init(&request->list);
		spin_unlock_irq(&card->lock);
		if (pending)
			return -ERESTARTSYS;
		/* It is being completed at this moment. */
		wait_for_completion(request->done);
	}
	return request->result;
}
