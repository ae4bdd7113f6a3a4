// SPDX-License-Identifier: GPL-2.0-only
/*
 * uio_dummy: a sample device for userspace drivers, with nothing but memory behind it.
 *
 * The hardware is a mailbox: a register page and two rings in memory (UIO map 0). A command is
 * a number with a tag; the answer is the number's complement with the same tag. A timer plays
 * the hardware: in each period it answers what has been submitted, in order, and interrupts
 * once for all of these answers. Registers are 32 bits wide and little-endian:
 *
 *  offset           register   written by  what
 *  0x00             ID         hardware    0x58424D52, "RMBX"
 *  0x04             ENTRIES    hardware    entries of each ring, a power of two
 *  0x08             SUBMITTED  driver      commands submitted so far, modulo 2^32
 *  0x0C             ACCEPTED   hardware    commands taken so far
 *  0x10             ANSWERED   hardware    answers written so far
 *  0x14             REAPED     driver      answers taken so far
 *  0x18             CONTROL    driver      bit 0: the hardware runs and interrupts
 *  0x1C             FEATURES   hardware    bit 0: TIME exists
 *  0x20, 0x24       TIME       hardware    low and high half of the time of the last
 *                                          interrupt: CLOCK_MONOTONIC in ns
 *  0x1000           submission ring        ENTRIES x (tag, operand)
 *  0x1000 + 8 x ENTRIES  answer ring       ENTRIES x (tag, answer)
 *
 * The driver writes a ring entry before it advances SUBMITTED, and reads ANSWERED before the
 * answers. TIME is read right before ANSWERED is advanced, and stored first, so that a driver
 * that has seen an answer finds the time of its interrupt, or of a later one; it may change
 * between the reads of its halves. Without TIME, in older versions, FEATURES reads 0. Writing
 * 1 or 0 to the UIO file (irqcontrol) sets or clears CONTROL bit 0.
 *
 * Every open starts with a zeroed device, and there is one opener at a time. A device that was
 * removed reads all ones.
 *
 * Any process that may open the UIO file can write any of this memory at any time. The
 * hardware's own counts are therefore kept elsewhere and only published here, each word of the
 * driver's is read once per use, and a tick does a bounded amount of work whatever the words
 * are.
 */
#include <linux/hrtimer.h>
#include <linux/ktime.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/platform_device.h>
#include <linux/sizes.h>
#include <linux/sysfs.h>
#include <linux/timekeeping.h>
#include <linux/uio_driver.h>
#include <linux/vmalloc.h>

#include "compat.h"

#define DRIVER_NAME	"uio_dummy"

#define MAILBOX_ID	0x58424D52
#define MAX_ENTRIES	4096U
#define RINGS		SZ_4K
#define RUN		BIT(0)
#define HAS_TIME	BIT(0)
/* Answers per tick. With the default period these are more than a million a second. */
#define BURST		64
#define MIN_PERIOD_US	10U
#define MAX_PERIOD_US	1000000U

static unsigned int entries = MAX_ENTRIES;
module_param(entries, uint, 0444);
MODULE_PARM_DESC(entries, "entries of each ring, a power of two up to 4096 (default 4096)");

static unsigned int period = 50;
module_param(period, uint, 0444);
MODULE_PARM_DESC(period, "time between two looks at the submission ring, in microseconds, 10 to 1000000 (default 50)");

struct registers {
	__le32 id;
	__le32 entries;
	__le32 submitted;
	__le32 accepted;
	__le32 answered;
	__le32 reaped;
	__le32 control;
	__le32 features;
	__le64 interrupt_time;
};

struct entry {
	__le32 tag;
	__le32 value;
};

/**
 * struct mailbox - the device
 * @info:	the device as registered with the UIO core
 * @registers:	start of the memory that is shared with userspace
 * @submission:	submission ring, in the same memory
 * @answers:	answer ring, in the same memory
 * @size:	size of that memory
 * @timer:	plays the hardware while the device is open
 * @lock:	guards @open, @announced and @gone, and the start and stop of @timer with them
 * @pages:	the pages of that memory
 * @open:	the UIO file is open
 * @announced:	UIO has set the device up, so that interrupts can be reported to it
 * @gone:	the device is being removed
 * @accepted:	the count that ACCEPTED and ANSWERED publish
 * @answered_total: answers since the device was made
 * @interrupts_total: interrupts since the device was made
 *
 * Answers follow commands at once, so one count stands for both ACCEPTED and ANSWERED.
 * @accepted is changed only by the timer, and by open while the timer does not run.
 */
struct mailbox {
	struct uio_info info;
	struct registers *registers;
	struct entry *submission;
	struct entry *answers;
	size_t size;
	struct page **pages;
	struct hrtimer timer;
	struct mutex lock;	/* @open, @announced, @gone */
	bool open;
	bool announced;
	bool gone;
	u32 accepted;
	atomic64_t answered_total;
	atomic64_t interrupts_total;
};

static ktime_t mailbox_period(void)
{
	return ns_to_ktime(period * NSEC_PER_USEC);
}

/* Answers the commands that can be answered and returns their number. */
static unsigned int mailbox_answer(struct mailbox *mailbox)
{
	struct registers *registers = mailbox->registers;
	u32 waiting, unreaped, count, i;

	if (!(le32_to_cpu(READ_ONCE(registers->control)) & RUN))
		return 0;

	/* Pairs with the driver's order: it writes the entry first, then the count. */
	waiting = le32_to_cpu(smp_load_acquire(&registers->submitted)) - mailbox->accepted;
	/* Pairs with the driver's order: it reads the answer, then releases its place. */
	unreaped = mailbox->accepted - le32_to_cpu(smp_load_acquire(&registers->reaped));
	/* If a driver claims more than the rings hold, nothing is answered. */
	if (waiting > entries || unreaped > entries)
		return 0;

	count = min3(waiting, entries - unreaped, (u32)BURST);
	for (i = 0; i < count; i++) {
		u32 at = (mailbox->accepted + i) & (entries - 1);

		WRITE_ONCE(mailbox->answers[at].tag,
			   READ_ONCE(mailbox->submission[at].tag));
		WRITE_ONCE(mailbox->answers[at].value,
			   ~READ_ONCE(mailbox->submission[at].value));
	}
	if (!count)
		return 0;

	mailbox->accepted += count;
	WRITE_ONCE(registers->interrupt_time, cpu_to_le64(ktime_get_ns()));
	WRITE_ONCE(registers->accepted, cpu_to_le32(mailbox->accepted));
	/* The answers and the time are stored before the count. */
	smp_store_release(&registers->answered, cpu_to_le32(mailbox->accepted));
	return count;
}

static enum hrtimer_restart mailbox_tick(struct hrtimer *timer)
{
	struct mailbox *mailbox = container_of(timer, struct mailbox, timer);
	unsigned int count = mailbox_answer(mailbox);

	if (count) {
		atomic64_add(count, &mailbox->answered_total);
		atomic64_inc(&mailbox->interrupts_total);
		uio_event_notify(&mailbox->info);
	}
	hrtimer_forward_now(timer, mailbox_period());
	return HRTIMER_RESTART;
}

/* Starts the hardware if the file is open and UIO is ready. Under mailbox.lock. */
static void mailbox_start(struct mailbox *mailbox)
{
	if (mailbox->open && mailbox->announced)
		hrtimer_start(&mailbox->timer, mailbox_period(), HRTIMER_MODE_REL);
}

static int mailbox_open(struct uio_info *info, struct inode *inode)
{
	struct mailbox *mailbox = info->priv;
	int ret = 0;

	mutex_lock(&mailbox->lock);
	if (mailbox->gone) {
		ret = -ENODEV;
	} else if (mailbox->open) {
		ret = -EBUSY;
	} else {
		mailbox->open = true;
		mailbox->accepted = 0;
		/* Clears everything of the last user. */
		memset(mailbox->registers, 0, mailbox->size);
		mailbox->registers->id = cpu_to_le32(MAILBOX_ID);
		mailbox->registers->entries = cpu_to_le32(entries);
		mailbox->registers->features = cpu_to_le32(HAS_TIME);
		mailbox_start(mailbox);
	}
	mutex_unlock(&mailbox->lock);
	return ret;
}

/* A mapping keeps the file open: this is called when both are gone. */
static int mailbox_release(struct uio_info *info, struct inode *inode)
{
	struct mailbox *mailbox = info->priv;

	mutex_lock(&mailbox->lock);
	hrtimer_cancel(&mailbox->timer);
	mailbox->open = false;
	mutex_unlock(&mailbox->lock);
	return 0;
}

static int mailbox_irqcontrol(struct uio_info *info, s32 irq_on)
{
	struct mailbox *mailbox = info->priv;
	int ret = 0;

	mutex_lock(&mailbox->lock);
	if (mailbox->gone)
		ret = -ENODEV;
	else
		WRITE_ONCE(mailbox->registers->control, cpu_to_le32(irq_on ? RUN : 0));
	mutex_unlock(&mailbox->lock);
	return ret;
}

/*
 * The pages are inserted at once, and belong to the process until it unmaps them. UIO's own
 * way would show their address in the kernel to every user.
 */
static int mailbox_map(struct uio_info *info, struct compat_mapping *mapping)
{
	struct mailbox *mailbox = info->priv;

	return compat_map_vmalloc(mapping, mailbox->registers, mailbox->pages);
}

static ssize_t answered_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	struct mailbox *mailbox = dev_get_drvdata(dev);

	return sysfs_emit(buf, "%lld\n", atomic64_read(&mailbox->answered_total));
}
static DEVICE_ATTR_RO(answered);

static ssize_t interrupts_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	struct mailbox *mailbox = dev_get_drvdata(dev);

	return sysfs_emit(buf, "%lld\n", atomic64_read(&mailbox->interrupts_total));
}
static DEVICE_ATTR_RO(interrupts);

static struct attribute *mailbox_attrs[] = {
	&dev_attr_answered.attr,
	&dev_attr_interrupts.attr,
	NULL
};
ATTRIBUTE_GROUPS(mailbox);

/* Pages that a process still has mapped belong to it until it unmaps them. */
static void mailbox_free(void *data)
{
	struct mailbox *mailbox = data;

	vfree(mailbox->registers);
}

/* Runs before the UIO device is removed, while its waiters can still be woken. */
static void mailbox_stop(void *data)
{
	struct mailbox *mailbox = data;

	mutex_lock(&mailbox->lock);
	mailbox->gone = true;
	hrtimer_cancel(&mailbox->timer);
	memset(mailbox->registers, 0xff, mailbox->size);
	mutex_unlock(&mailbox->lock);
}

/* A process may have opened the device before UIO was ready. */
static void mailbox_announced(struct mailbox *mailbox)
{
	mutex_lock(&mailbox->lock);
	mailbox->announced = true;
	mailbox_start(mailbox);
	mutex_unlock(&mailbox->lock);
}

static int mailbox_pages(struct device *dev, struct mailbox *mailbox)
{
	size_t i, count = mailbox->size / PAGE_SIZE;

	mailbox->pages = devm_kcalloc(dev, count, sizeof(*mailbox->pages), GFP_KERNEL);
	if (!mailbox->pages)
		return -ENOMEM;
	for (i = 0; i < count; i++)
		mailbox->pages[i] = vmalloc_to_page((u8 *)mailbox->registers + i * PAGE_SIZE);
	return 0;
}

static int mailbox_probe(struct platform_device *pdev)
{
	struct mailbox *mailbox;
	int ret;

	mailbox = devm_kzalloc(&pdev->dev, sizeof(*mailbox), GFP_KERNEL);
	if (!mailbox)
		return -ENOMEM;
	mutex_init(&mailbox->lock);
	hrtimer_setup(&mailbox->timer, mailbox_tick, CLOCK_MONOTONIC, HRTIMER_MODE_REL);

	mailbox->size = PAGE_ALIGN(RINGS + 2 * entries * sizeof(struct entry));
	mailbox->registers = vmalloc_user(mailbox->size);
	if (!mailbox->registers)
		return -ENOMEM;
	mailbox->submission = (void *)mailbox->registers + RINGS;
	mailbox->answers = mailbox->submission + entries;
	ret = devm_add_action_or_reset(&pdev->dev, mailbox_free, mailbox);
	if (ret)
		return ret;
	ret = mailbox_pages(&pdev->dev, mailbox);
	if (ret)
		return ret;

	platform_set_drvdata(pdev, mailbox);
	mailbox->info.name = DRIVER_NAME;
	mailbox->info.version = "1";
	mailbox->info.irq = UIO_IRQ_CUSTOM;
	mailbox->info.priv = mailbox;
	mailbox->info.open = mailbox_open;
	mailbox->info.release = mailbox_release;
	mailbox->info.irqcontrol = mailbox_irqcontrol;
	mailbox->info.compat_mmap = mailbox_map;
	mailbox->info.mem[0].name = "mailbox";
	mailbox->info.mem[0].memtype = UIO_MEM_VIRTUAL;
	mailbox->info.mem[0].size = mailbox->size;

	ret = devm_uio_register_device(&pdev->dev, &mailbox->info);
	if (ret)
		return dev_err_probe(&pdev->dev, ret, "can't register the UIO device\n");
	ret = devm_add_action_or_reset(&pdev->dev, mailbox_stop, mailbox);
	if (ret)
		return ret;
	mailbox_announced(mailbox);
	return 0;
}

static struct platform_driver mailbox_driver = {
	.driver = {
		.name = DRIVER_NAME,
		.dev_groups = mailbox_groups,
	},
	.probe = mailbox_probe,
};

static struct platform_device *mailbox_device;

static int __init uio_dummy_init(void)
{
	int ret;

	if (!is_power_of_2(entries) || entries > MAX_ENTRIES) {
		pr_err(DRIVER_NAME ": entries=%u is not a power of two up to %u\n",
		       entries, MAX_ENTRIES);
		return -EINVAL;
	}
	if (period < MIN_PERIOD_US || period > MAX_PERIOD_US) {
		pr_err(DRIVER_NAME ": period=%u is not within %u to %u microseconds\n",
		       period, MIN_PERIOD_US, MAX_PERIOD_US);
		return -EINVAL;
	}

	ret = platform_driver_register(&mailbox_driver);
	if (ret)
		return ret;
	mailbox_device = platform_device_register_simple(DRIVER_NAME, 0, NULL, 0);
	if (IS_ERR(mailbox_device)) {
		platform_driver_unregister(&mailbox_driver);
		return PTR_ERR(mailbox_device);
	}
	return 0;
}

static void __exit uio_dummy_exit(void)
{
	platform_device_unregister(mailbox_device);
	platform_driver_unregister(&mailbox_driver);
}

module_init(uio_dummy_init);
module_exit(uio_dummy_exit);

MODULE_DESCRIPTION("Ringback's sample device: a mailbox in memory under UIO");
MODULE_AUTHOR("The Ringback authors");
MODULE_LICENSE("GPL");
MODULE_VERSION("1");
