// SPDX-License-Identifier: GPL-2.0-only
/*
 * Requests: who wants to know when samples have been played.
 *
 * A request ends exactly once: when its last sample has left the card; with -EIO when
 * the card stands still or is made safe; with -ENODEV when it is gone; with -ECANCELED
 * when the writer dropped what was queued, or died. io_uring can't take such a request
 * back, so nothing else ends it and nothing may keep it from ending.
 */
#include <linux/poll.h>
#include <linux/slab.h>

#include "ringback.h"

/**
 * rbk_request_add - waits for everything that is queued now
 * @port:	the port; rbk_card.lock is held
 * @request:	the request
 *
 * Return: 0, or -EALREADY if all of it was played.
 */
int rbk_request_add(struct rbk_port *port, struct rbk_request *request)
{
	struct rbk_card *card = port->card;

	if (list_empty(&port->queued) && list_empty(&port->playing))
		port->since = jiffies;
	request->end = port->tx_tail;
	if (port->tx_head == port->tx_tail) {
		request->due = port->tx_due;
		if (request->due <= card->words)
			return -EALREADY;
		list_add_tail(&request->list, &port->playing);
	} else {
		list_add_tail(&request->list, &port->queued);
	}
	schedule_delayed_work(&card->watchdog, RBK_WATCH);
	return 0;
}

/**
 * rbk_requests_take - drops what a port has to play
 * @port:	the port; rbk_card.lock is held
 * @taken:	gets the requests, to be completed by rbk_requests_complete()
 * @error:	what they will end with
 */
void rbk_requests_take(struct rbk_port *port, struct list_head *taken, int error)
{
	port->tx_head = port->tx_tail;
	port->dry = false;
	WRITE_ONCE(port->drops, port->drops + 1);
	port->drop_error = error;
	list_splice_tail_init(&port->playing, taken);
	list_splice_tail_init(&port->queued, taken);
	wake_up_interruptible_poll(&port->tx_wait, EPOLLOUT | EPOLLWRNORM);
}

/**
 * rbk_requests_complete - tells who waits
 * @card:	the card; no lock is held
 * @requests:	requests that are on no port's list any more
 * @error:	0 for success, or a negative errno
 */
void rbk_requests_complete(struct rbk_card *card, struct list_head *requests, int error)
{
	struct rbk_request *request;
	unsigned long flags;

	for (;;) {
		/* A sleeper that got a signal takes its request off the list by itself. */
		spin_lock_irqsave(&card->lock, flags);
		request = list_first_entry_or_null(requests, struct rbk_request, list);
		if (request)
			list_del_init(&request->list);
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
 * Return: 0, the error it ended with, or -ERESTARTSYS after a signal; nobody has the
 * request any more then.
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
		/* It ends just now. */
		wait_for_completion(request->done);
	}
	return request->result;
}
