/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the files of the module share: the card, its ports, and the rules of access.
 *
 * A card is created in probe, and freed when the PCI device is unbound *and* the last open
 * file is closed: a port's file holds its port, and ports and an open UIO file hold the card.
 * Once @removed is set, the hardware is not accessed any more.
 *
 * Locks, in the order in which they are taken:
 *   the UIO core's info_lock (around the UIO callbacks), or a process's mmap_lock
 *   rbk_card.control	power on, safe state, opening and closing, page faults; sleeps
 *   rbk_port.rx_mutex, rbk_port.tx_mutex	one reader and one writer at a time; sleeps
 *   aio's lock of a context (around the cancellation of a request)
 *   rbk_card.lock	everything that the interrupt handler sees; never sleeps
 * A request is completed with no lock held.
 */
#ifndef RINGBACK_H
#define RINGBACK_H

#include <linux/cdev.h>
#include <linux/completion.h>
#include <linux/device.h>
#include <linux/fs.h>
#include <linux/kref.h>
#include <linux/ktime.h>
#include <linux/mutex.h>
#include <linux/pci.h>
#include <linux/pm_qos.h>
#include <linux/spinlock.h>
#include <linux/uio_driver.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#define RBK_NAME		"ringback"

/* The number of slots of a card, and so of ports. */
#define RBK_PORTS	4
#define RBK_MAX_CARDS	16

/* The u-law code of silence. */
#define RBK_SILENCE	0xff

/*
 * The DMA block: 16 words that the card plays, followed by 16 that it fills. One word is one
 * frame of 125 us, and byte N of it is the sample of slot N. The card interrupts when it
 * reaches word 7 and word 15.
 */
#define RBK_WORDS	16
#define RBK_RX_OFFSET	(RBK_WORDS * RBK_PORTS)
#define RBK_RING_BYTES	(2 * RBK_WORDS * RBK_PORTS)

/*
 * Behind the ring userspace writes, a byte for each slot, what a port is to play with nothing
 * queued: the silence of the law that it has set the slot's module to. 0, as after opening,
 * stands for RBK_SILENCE.
 */
#define RBK_IDLE_OFFSET	RBK_RING_BYTES

/* The samples that a port holds for its reader (1 s) and for the card (8 s). */
#define RBK_RX_SIZE	8192U
#define RBK_TX_SIZE	65536U

/* The most samples that a reader or writer waits for: 20 ms, so that it wakes seldom. */
#define RBK_CHUNK	160U

/* How long the card may stand still while a request waits to be played. */
#define RBK_PATIENCE	HZ
/* The interval at which that is checked. */
#define RBK_WATCH	(HZ / 10)

/**
 * struct rbk_owner - a process with requests on a port
 * @list:	on the port's list
 * @pid:	the process
 * @requests:	its requests that have not ended, oldest first
 * @users:	submitters that are about to add a request
 * @executing:	when it was seen in the middle of an execve(2), in jiffies, or 0
 *
 * Under rbk_card.lock. The watchdog frees one without requests, because the interrupt handler
 * should not have to release a struct pid.
 */
struct rbk_owner {
	struct list_head list;
	struct pid *pid;
	struct list_head requests;
	unsigned int users;
	unsigned long executing;
};

/**
 * struct rbk_request - a request that waits until samples have been played
 * @list:	on one of the port's lists, or on the list of the code that completes it
 * @owned:	on its owner's list; on none if a task sleeps on @done
 * @iocb:	the iocb to complete; NULL: a task sleeps on @done
 * @done:	the completion on which that task sleeps
 * @result:	the result for that task: 0 or a negative errno
 * @owner:	the process that submitted it; used until it is added
 * @cancelled:	whether it was cancelled before it was added
 * @size:	number of samples, which is the result of success
 * @end:	place in the transmit FIFO after the last sample
 * @due:	the last sample was played when this many ring words were transferred
 *
 * All lists that a request can be on are changed under rbk_card.lock.
 */
struct rbk_request {
	struct list_head list;
	struct list_head owned;
	struct kiocb *iocb;
	struct completion *done;
	int result;
	struct rbk_owner *owner;
	bool cancelled;
	u32 size;
	u32 end;
	u64 due;
};

/**
 * struct rbk_port - a slot of the card and its char device
 * @card:	the card
 * @dev:	holds the card
 * @cdev:	the char device; held by open files, holds @dev
 * @slot:	byte of a ring word that belongs to this port
 * @rx_mutex:	held by the reader
 * @tx_mutex:	held by the writer
 * @rx_wait:	readers that wait for samples
 * @tx_wait:	writers that wait for room
 * @open:	the char device is open. From here on under rbk_card.lock.
 * @rx:		receive FIFO; what lies between @rx_head and @rx_tail belongs to the reader
 * @rx_head:	samples taken by the reader, modulo 2^32
 * @rx_tail:	samples that came in
 * @rx_want:	samples that the reader waits for
 * @tx:		transmit FIFO; what lies outside of @tx_head to @tx_tail belongs to the writer
 * @tx_head:	samples put into the ring, modulo 2^32
 * @tx_tail:	samples put in by the writer
 * @tx_want:	room that the writer waits for
 * @tx_due:	@due of the last sample that was put into the ring
 * @dry:	there was a last sample, and nothing followed it
 * @drops:	how often the transmit FIFO was dropped
 * @drop_error:	the error with which the requests of the last drop ended
 * @queued:	requests with samples in the FIFO, oldest first
 * @playing:	requests whose samples are in the ring, oldest first
 * @owners:	processes with requests
 * @since:	when the oldest request was added, in jiffies
 */
struct rbk_port {
	struct rbk_card *card;
	struct device dev;
	struct cdev cdev;
	unsigned int slot;
	struct mutex rx_mutex;	/* see above */
	struct mutex tx_mutex;	/* see above */
	wait_queue_head_t rx_wait;
	wait_queue_head_t tx_wait;
	bool open;
	u8 *rx;
	u32 rx_head;
	u32 rx_tail;
	u32 rx_want;
	u8 *tx;
	u32 tx_head;
	u32 tx_tail;
	u32 tx_want;
	u64 tx_due;
	bool dry;
	unsigned int drops;
	int drop_error;
	struct list_head queued;
	struct list_head playing;
	struct list_head owners;
	unsigned long since;
};

/**
 * struct rbk_counters - the counters in sysfs
 * @ticks:	interrupts for samples
 * @missed:	ticks that came while the one before was not served
 * @underruns:	gaps: a port had nothing to play, and had samples again within 20 ms
 * @overruns:	samples that came in and were dropped because they were not read
 * @aborts:	bus errors of the card
 */
struct rbk_counters {
	u64 ticks;
	u64 missed;
	u64 underruns;
	u64 overruns;
	u64 aborts;
};

/**
 * struct rbk_card - a card
 * @ref:	held by the PCI binding and by every port
 * @pdev:	the PCI device, until @removed
 * @number:	C in /dev/ringbackCpN
 * @registers:	BAR1, until @removed
 * @dma:	the DMA block, one page, until @removed
 * @dma_page:	the page of the DMA block
 * @dma_address: its address on the bus
 * @stand_in:	a page of ones, which is mapped in place of a card that was @removed
 * @uio:	the UIO device
 * @inode:	of the UIO file while it is open, to find its mappings; under @control
 * @orphan:	on the list of cards that were removed while the UIO file was open
 * @watchdog:	ends requests if the card stands still or their owner is over
 * @control:	serialises all code that switches the card on and off
 * @controlled:	the UIO file is open; changed under @control
 * @latency:	keeps processors out of deep idle states while the card may run; under @control
 * @lock:	guards the rest, and the sequence of register accesses
 * @removed:	the device is being removed, and must not be accessed
 * @absent:	the card read all ones
 * @paused:	the machine sleeps or the card is being reset: it must not be accessed
 * @announced:	UIO has set the device up, so that interrupts can be reported to it
 * @open_ports:	number of open ports; without any, userspace uses the ring itself
 * @synced:	@position is known
 * @position:	ring word at which the card was
 * @owed:	interrupt bits of words that were passed before their bit was read
 * @asked:	when @position was read
 * @word_ns:	how long a ring word takes, by the clock
 * @words:	ring words that were transferred
 * @moved:	when the card moved last, in jiffies
 * @cancelled:	requests that were cancelled, to be completed by the watchdog
 * @standing:	interrupts in succession whose bits stayed set when they were acknowledged
 * @standing_since: when the first of them was served
 * @counters:	the counters in sysfs
 * @ports:	the ports
 */
struct rbk_card {
	struct kref ref;
	struct pci_dev *pdev;
	int number;
	void __iomem *registers;
	u8 *dma;
	struct page *dma_page;
	dma_addr_t dma_address;
	struct page *stand_in;
	struct uio_info uio;
	struct inode *inode;
	struct list_head orphan;
	struct delayed_work watchdog;
	struct mutex control;	/* see above */
	bool controlled;
	struct pm_qos_request latency;
	spinlock_t lock;	/* see above */
	bool removed;
	bool absent;
	bool paused;
	bool announced;
	unsigned int open_ports;
	bool synced;
	unsigned int position;
	u8 owed;
	ktime_t asked;
	u32 word_ns;
	u64 words;
	unsigned long moved;
	struct list_head cancelled;
	unsigned int standing;
	ktime_t standing_since;
	struct rbk_counters counters;
	struct rbk_port ports[RBK_PORTS];
};

/* Whether the card can't be used. Under rbk_card.lock. */
static inline bool rbk_gone(const struct rbk_card *card)
{
	return card->removed || card->absent;
}

/* pci.c: binding, and the card's access to memory */
extern struct workqueue_struct *rbk_workqueue;
bool rbk_card_may_open(struct rbk_card *card);

/* card.c: switching on and off, interrupt, watchdog */
void rbk_card_free(struct kref *ref);
bool rbk_card_answers(const struct rbk_card *card);
int rbk_card_on(struct rbk_card *card);
void rbk_card_safe(struct rbk_card *card, int error);
void rbk_card_pause(struct rbk_card *card, int error);
void rbk_card_continue(struct rbk_card *card);
void rbk_card_retire(struct rbk_card *card);
irqreturn_t rbk_interrupt(int irq, void *data);
void rbk_watch_now(struct rbk_card *card);
void rbk_watch(struct work_struct *work);

/* ring.c: samples between the FIFOs and the DMA ring */
void rbk_ring_clear(struct rbk_port *port);
void rbk_ring_tick(struct rbk_card *card, u8 status, ktime_t now, struct list_head *played);

/* request.c: from queued to completed */
struct rbk_owner *rbk_owner_get(struct rbk_port *port);
void rbk_owners_free(struct list_head *owners);
int rbk_request_add(struct rbk_port *port, struct rbk_request *request);
int rbk_request_cancel(struct kiocb *iocb);
void rbk_request_forsake(struct rbk_port *port, struct rbk_request *request,
			 struct list_head *forsaken);
void rbk_requests_take(struct rbk_port *port, struct list_head *taken, int error);
void rbk_requests_complete(struct rbk_card *card, struct list_head *requests, int error);
void rbk_requests_fail(struct rbk_card *card, int error);
int rbk_request_wait(struct rbk_card *card, struct rbk_request *request);

/* port.c: the char devices */
int rbk_ports_register(void);
void rbk_ports_unregister(void);
void rbk_ports_prepare(struct rbk_card *card);
int rbk_ports_add(struct rbk_card *card);
void rbk_ports_remove(struct rbk_card *card);
void rbk_ports_wake(struct rbk_card *card);

/* uio.c: the UIO device */
int rbk_uio_add(struct rbk_card *card);
void rbk_uio_revoke(struct rbk_card *card);
void rbk_uio_remove(struct rbk_card *card);
void rbk_uio_orphans_free(void);

/* sysfs.c: the counters */
extern const struct attribute_group *rbk_groups[];

#endif
