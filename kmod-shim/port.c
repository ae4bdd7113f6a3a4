// SPDX-License-Identifier: GPL-2.0-only
/*
 * The char devices, /dev/ringbackCpN: the samples of slot N of card C, 8000 bytes a second
 * each way.
 *
 * A read returns what came in, as soon as that is all that was requested, or 20 ms of it. A
 * write ends when its last sample was played: write(2) sleeps until then, io_uring and aio
 * writes complete then. A non-blocking write(2) only queues what fits. A write of no samples
 * drops all that is queued. Like most char devices it has no fsync(2): it would wait for what
 * write(2) has waited for already, and with aio it would wait in a worker that the whole
 * machine shares.
 *
 * Each FIFO has one reader and one writer at a time: processes, which mutexes keep apart, on
 * one side, and the interrupt handler on the other. Positions are changed under rbk_card.lock;
 * the samples between them are copied without it, because copying to and from userspace may
 * sleep.
 *
 * poll(2) reports a port as ready when a read or write would now find what the last one that
 * had to wait was missing, so that io_uring does not try in vain.
 */
#include <linux/aio.h>
#include <linux/mm.h>
#include <linux/poll.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/uio.h>

#include "ringback.h"

static dev_t rbk_first;

static struct class rbk_class = {
	.name = RBK_NAME,
};

static u32 rx_level(const struct rbk_port *port)
{
	return port->rx_tail - port->rx_head;
}

static u32 tx_room(const struct rbk_port *port)
{
	return RBK_TX_SIZE - (port->tx_tail - port->tx_head);
}

/* Whether a read or write must not sleep. */
static bool is_nowait(const struct kiocb *iocb)
{
	return iocb->ki_flags & IOCB_NOWAIT || iocb->ki_filp->f_flags & O_NONBLOCK;
}

static int lock_mutex(struct mutex *mutex, bool nowait)
{
	if (nowait)
		return mutex_trylock(mutex) ? 0 : -EAGAIN;
	return mutex_lock_interruptible(mutex) ? -ERESTARTSYS : 0;
}

/*
 * The level at which waiters are woken: the least that one of them needs, as long as there is
 * less. Those that need more check again then, so that they do not hold up the one that needs
 * little.
 */
static u32 least_want(u32 before, u32 want, u32 have)
{
	return before > have ? min(before, want) : want;
}

/* Returns how many samples there are to read: 0 for fewer than @want, or -ENODEV. */
static int rx_ready(struct rbk_port *port, u32 want)
{
	struct rbk_card *card = port->card;
	int ret = 0;

	spin_lock_irq(&card->lock);
	if (rbk_gone(card))
		ret = -ENODEV;
	else if (rx_level(port) >= want)
		ret = rx_level(port);
	else
		port->rx_want = least_want(port->rx_want, want, rx_level(port));
	spin_unlock_irq(&card->lock);
	return ret;
}

/* Returns for how many samples there is room: 0 for fewer than @want, or -ENODEV. */
static int tx_ready(struct rbk_port *port, u32 want)
{
	struct rbk_card *card = port->card;
	int ret = 0;

	spin_lock_irq(&card->lock);
	if (rbk_gone(card))
		ret = -ENODEV;
	else if (tx_room(port) >= want)
		ret = tx_room(port);
	else
		port->tx_want = least_want(port->tx_want, want, tx_room(port));
	spin_unlock_irq(&card->lock);
	return ret;
}

/* Like rx_ready(), but sleeps until there are enough, or returns -EAGAIN. */
static int rx_get_ready(struct rbk_port *port, u32 want, bool nowait)
{
	int ret;

	while (!(ret = rx_ready(port, want))) {
		if (nowait)
			return -EAGAIN;
		if (wait_event_interruptible(port->rx_wait, rx_ready(port, want)))
			return -ERESTARTSYS;
	}
	return ret;
}

/* Like tx_ready(), but sleeps until there is enough, or returns -EAGAIN. */
static int tx_get_ready(struct rbk_port *port, u32 want, bool nowait)
{
	int ret;

	while (!(ret = tx_ready(port, want))) {
		if (nowait)
			return -EAGAIN;
		if (wait_event_interruptible(port->tx_wait, tx_ready(port, want)))
			return -ERESTARTSYS;
	}
	return ret;
}

static ssize_t port_read_iter(struct kiocb *iocb, struct iov_iter *to)
{
	struct rbk_port *port = iocb->ki_filp->private_data;
	u32 want = min_t(size_t, iov_iter_count(to), RBK_CHUNK);
	bool nowait = is_nowait(iocb);
	u32 count, first;
	size_t copied;
	int ret;

	if (!want)
		return 0;
	ret = lock_mutex(&port->rx_mutex, nowait);
	if (ret)
		return ret;
	ret = rx_get_ready(port, want, nowait);
	if (ret < 0)
		goto unlock;

	count = min_t(size_t, iov_iter_count(to), ret);
	first = min(count, RBK_RX_SIZE - port->rx_head % RBK_RX_SIZE);
	copied = copy_to_iter(port->rx + port->rx_head % RBK_RX_SIZE, first, to);
	if (copied == first)
		copied += copy_to_iter(port->rx, count - first, to);
	spin_lock_irq(&port->card->lock);
	port->rx_head += copied;
	spin_unlock_irq(&port->card->lock);
	ret = copied ? (int)copied : -EFAULT;
unlock:
	mutex_unlock(&port->rx_mutex);
	return ret;
}

/* Copies samples to the end of the transmit FIFO, as many as there is room for. */
static u32 tx_copy(struct rbk_port *port, struct iov_iter *from, u32 count)
{
	u32 first = min(count, RBK_TX_SIZE - port->tx_tail % RBK_TX_SIZE);
	size_t copied = copy_from_iter(port->tx + port->tx_tail % RBK_TX_SIZE, first, from);

	if (copied == first)
		copied += copy_from_iter(port->tx, count - first, from);
	return copied;
}

/*
 * Gives copied samples to the card, and adds the request that waits for them, if there is one.
 * Does not if the transmit FIFO was dropped since @drops was read, because these samples
 * belong to what was dropped.
 */
static int tx_commit(struct rbk_port *port, u32 count, unsigned int drops,
		     struct rbk_request *request)
{
	struct rbk_card *card = port->card;
	int ret = 0;

	spin_lock_irq(&card->lock);
	if (request && request->owner)
		request->owner->users--;
	if (!count) {
		ret = -EFAULT;
		goto unlock;
	}
	if (rbk_gone(card)) {
		ret = -ENODEV;
		goto unlock;
	}
	if (port->drops != drops) {
		ret = port->drop_error;
		goto unlock;
	}
	if (port->dry && card->words < port->tx_due + RBK_CHUNK)
		card->counters.underruns++;
	port->dry = false;
	port->tx_tail += count;
	if (request)
		ret = rbk_request_add(port, request);
	if (ret)
		port->tx_tail -= count;
unlock:
	/* It can be cancelled only while it is in this place. */
	if (ret && request && request->iocb)
		request->iocb->private = NULL;
	spin_unlock_irq(&card->lock);
	return ret;
}

/* A write that completes later: of all samples, or of as many as the FIFO can ever hold. */
static ssize_t write_async(struct rbk_port *port, struct kiocb *iocb, struct iov_iter *from,
			   bool nowait)
{
	u32 count = min_t(size_t, iov_iter_count(from), RBK_TX_SIZE);
	unsigned int drops = READ_ONCE(port->drops);
	struct rbk_request *request;
	int ret;

	ret = tx_get_ready(port, count, nowait);
	if (ret < 0)
		return ret;

	request = kzalloc(sizeof(*request), GFP_KERNEL_ACCOUNT);
	if (!request)
		return -ENOMEM;
	request->owner = rbk_owner_get(port);
	if (!request->owner) {
		kfree(request);
		return -ENOMEM;
	}
	INIT_LIST_HEAD(&request->list);
	INIT_LIST_HEAD(&request->owned);
	request->iocb = iocb;
	iocb->private = request;
	/* This has no effect on io_uring, which can't cancel. */
	kiocb_set_cancel_fn(iocb, rbk_request_cancel);
	request->size = tx_copy(port, from, count);
	ret = tx_commit(port, request->size, drops, request);
	if (ret) {
		kfree(request);
		return ret;
	}
	/*
	 * It may be completed already, so that neither it nor the iocb may be used any more.
	 */
	return -EIOCBQUEUED;
}

/* A write that does not wait: queues what fits. */
static ssize_t write_nowait(struct rbk_port *port, struct iov_iter *from)
{
	unsigned int drops = READ_ONCE(port->drops);
	int ret = tx_ready(port, 0);
	u32 count;

	if (!ret) {
		/* Makes poll report a room of many samples, and not every single one. */
		tx_ready(port, min_t(size_t, iov_iter_count(from), RBK_CHUNK));
		return -EAGAIN;
	}
	if (ret < 0)
		return ret;
	count = tx_copy(port, from, min_t(size_t, iov_iter_count(from), ret));
	return tx_commit(port, count, drops, NULL) ?: count;
}

/*
 * Queues all of a write, in parts if necessary, and returns how many samples that was. The
 * request is added after the last part. If a signal or a fault comes before that, there is
 * none: *@added returns whether there is something to wait for.
 */
static ssize_t write_sync(struct rbk_port *port, struct iov_iter *from,
			  struct rbk_request *request, bool *added)
{
	unsigned int drops = READ_ONCE(port->drops);
	ssize_t written = 0;
	bool last = false;
	int ret;

	while (!last) {
		u32 want = min_t(size_t, iov_iter_count(from), RBK_CHUNK);
		u32 count;

		ret = tx_get_ready(port, want, false);
		if (ret == -ERESTARTSYS && written)
			return written;
		if (ret < 0)
			return ret;
		count = min_t(size_t, iov_iter_count(from), ret);
		request->size = tx_copy(port, from, count);
		/* An unreadable part ends the write as the last part does. */
		last = request->size < count || !iov_iter_count(from);
		ret = tx_commit(port, request->size, drops, last ? request : NULL);
		if (ret == -EFAULT && written)
			return written;
		if (ret)
			return ret;
		written += request->size;
	}
	*added = true;
	return written;
}

/* Drops all that is queued. Does not wait for a writer that waits for room. */
static ssize_t write_nothing(struct rbk_port *port)
{
	struct rbk_card *card = port->card;
	LIST_HEAD(dropped);

	spin_lock_irq(&card->lock);
	rbk_requests_take(port, &dropped, -ECANCELED);
	spin_unlock_irq(&card->lock);
	rbk_requests_complete(card, &dropped, -ECANCELED);
	return 0;
}

static ssize_t port_write_iter(struct kiocb *iocb, struct iov_iter *from)
{
	struct rbk_port *port = iocb->ki_filp->private_data;
	DECLARE_COMPLETION_ONSTACK(done);
	struct rbk_request request = { .done = &done };
	bool nowait = is_nowait(iocb);
	bool added = false;
	ssize_t ret;

	INIT_LIST_HEAD(&request.list);
	INIT_LIST_HEAD(&request.owned);
	if (!iov_iter_count(from))
		return write_nothing(port);
	ret = lock_mutex(&port->tx_mutex, nowait);
	if (ret)
		return ret;
	if (!is_sync_kiocb(iocb))
		ret = write_async(port, iocb, from, nowait);
	else if (nowait)
		ret = write_nowait(port, from);
	else
		ret = write_sync(port, from, &request, &added);
	mutex_unlock(&port->tx_mutex);

	if (added) {
		int error = rbk_request_wait(port->card, &request);

		/*
		 * After a signal the samples are queued, so that the write must not be
		 * restarted.
		 */
		if (error && error != -ERESTARTSYS)
			return error;
	}
	return ret;
}

static __poll_t port_poll(struct file *file, poll_table *wait)
{
	struct rbk_port *port = file->private_data;
	struct rbk_card *card = port->card;
	__poll_t events = 0;

	poll_wait(file, &port->rx_wait, wait);
	poll_wait(file, &port->tx_wait, wait);
	spin_lock_irq(&card->lock);
	if (rbk_gone(card))
		events = EPOLLERR | EPOLLHUP;
	if (rbk_gone(card) || rx_level(port) >= port->rx_want)
		events |= EPOLLIN | EPOLLRDNORM;
	if (rbk_gone(card) || tx_room(port) >= port->tx_want)
		events |= EPOLLOUT | EPOLLWRNORM;
	spin_unlock_irq(&card->lock);
	return events;
}

static int port_open(struct inode *inode, struct file *file)
{
	struct rbk_port *port = container_of(inode->i_cdev, struct rbk_port, cdev);
	struct rbk_card *card = port->card;
	int ret = 0;
	u8 *rx, *tx;

	rx = kvmalloc(RBK_RX_SIZE, GFP_KERNEL_ACCOUNT);
	tx = kvmalloc(RBK_TX_SIZE, GFP_KERNEL_ACCOUNT);
	if (!rx || !tx) {
		kvfree(rx);
		kvfree(tx);
		return -ENOMEM;
	}

	spin_lock_irq(&card->lock);
	if (rbk_gone(card)) {
		ret = -ENODEV;
	} else if (port->open) {
		ret = -EBUSY;
	} else {
		port->open = true;
		swap(port->rx, rx);
		swap(port->tx, tx);
		port->rx_head = 0;
		port->rx_tail = 0;
		port->rx_want = RBK_CHUNK;
		port->tx_head = 0;
		port->tx_tail = 0;
		port->tx_want = RBK_CHUNK;
		port->tx_due = 0;
		port->dry = false;
		rbk_ring_clear(port);
		if (!card->open_ports++)
			card->synced = false;
	}
	spin_unlock_irq(&card->lock);
	if (ret) {
		kvfree(rx);
		kvfree(tx);
		return ret;
	}

	file->private_data = port;
	file->f_mode |= FMODE_NOWAIT;
	return stream_open(inode, file);
}

/* No request is left, because each of them keeps the file open. */
static int port_release(struct inode *inode, struct file *file)
{
	struct rbk_port *port = file->private_data;
	struct rbk_card *card = port->card;
	u8 *rx = NULL, *tx = NULL;
	LIST_HEAD(owners);

	spin_lock_irq(&card->lock);
	list_splice_init(&port->owners, &owners);
	port->open = false;
	card->open_ports--;
	swap(port->rx, rx);
	swap(port->tx, tx);
	if (!card->removed)
		rbk_ring_clear(port);
	spin_unlock_irq(&card->lock);
	rbk_owners_free(&owners);
	kvfree(rx);
	kvfree(tx);
	return 0;
}

static const struct file_operations port_fops = {
	.owner = THIS_MODULE,
	.open = port_open,
	.release = port_release,
	.read_iter = port_read_iter,
	.write_iter = port_write_iter,
	.poll = port_poll,
};

static void port_dev_release(struct device *dev)
{
	struct rbk_port *port = container_of(dev, struct rbk_port, dev);

	kref_put(&port->card->ref, rbk_card_free);
}

/**
 * rbk_ports_wake - makes all waiters check again
 * @card:	the card
 */
void rbk_ports_wake(struct rbk_card *card)
{
	int i;

	for (i = 0; i < RBK_PORTS; i++) {
		wake_up_interruptible_all(&card->ports[i].rx_wait);
		wake_up_interruptible_all(&card->ports[i].tx_wait);
	}
}

/**
 * rbk_ports_prepare - initialises a new card's ports
 * @card:	the card
 */
void rbk_ports_prepare(struct rbk_card *card)
{
	int i;

	for (i = 0; i < RBK_PORTS; i++) {
		struct rbk_port *port = &card->ports[i];

		port->card = card;
		port->slot = i;
		mutex_init(&port->rx_mutex);
		mutex_init(&port->tx_mutex);
		init_waitqueue_head(&port->rx_wait);
		init_waitqueue_head(&port->tx_wait);
		INIT_LIST_HEAD(&port->queued);
		INIT_LIST_HEAD(&port->playing);
		INIT_LIST_HEAD(&port->owners);
	}
}

static int port_add(struct rbk_port *port)
{
	struct rbk_card *card = port->card;
	int ret;

	device_initialize(&port->dev);
	port->dev.class = &rbk_class;
	port->dev.parent = &card->pdev->dev;
	port->dev.devt = rbk_first + card->number * RBK_PORTS + port->slot;
	port->dev.release = port_dev_release;
	kref_get(&card->ref);
	ret = dev_set_name(&port->dev, RBK_NAME "%dp%u", card->number, port->slot);
	if (!ret) {
		cdev_init(&port->cdev, &port_fops);
		port->cdev.owner = THIS_MODULE;
		ret = cdev_device_add(&port->cdev, &port->dev);
	}
	if (ret)
		put_device(&port->dev);
	return ret;
}

static void port_remove(struct rbk_port *port)
{
	cdev_device_del(&port->cdev, &port->dev);
	put_device(&port->dev);
}

/**
 * rbk_ports_add - creates the char devices
 * @card:	a card that is ready for them
 *
 * Return: 0 or a negative errno; then none of them exists.
 */
int rbk_ports_add(struct rbk_card *card)
{
	int i, ret;

	for (i = 0; i < RBK_PORTS; i++) {
		ret = port_add(&card->ports[i]);
		if (ret) {
			while (i--)
				port_remove(&card->ports[i]);
			return ret;
		}
	}
	return 0;
}

/**
 * rbk_ports_remove - removes the char devices; open files stay until they are closed
 * @card:	a card that is @removed
 */
void rbk_ports_remove(struct rbk_card *card)
{
	int i;

	for (i = 0; i < RBK_PORTS; i++)
		port_remove(&card->ports[i]);
}

/**
 * rbk_ports_register - registers what the ports of all cards share
 *
 * Return: 0 or a negative errno.
 */
int rbk_ports_register(void)
{
	int ret = class_register(&rbk_class);

	if (ret)
		return ret;
	ret = alloc_chrdev_region(&rbk_first, 0, RBK_MAX_CARDS * RBK_PORTS, RBK_NAME);
	if (ret)
		class_unregister(&rbk_class);
	return ret;
}

/**
 * rbk_ports_unregister - undoes rbk_ports_register()
 */
void rbk_ports_unregister(void)
{
	unregister_chrdev_region(rbk_first, RBK_MAX_CARDS * RBK_PORTS);
	class_unregister(&rbk_class);
}
