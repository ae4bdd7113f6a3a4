// SPDX-License-Identifier: GPL-2.0-only
/*
 * The attributes of a card's PCI device (/sys/class/uio/uioN/device).
 */
#include <linux/sysfs.h>

#include "ringback.h"

struct counter {
	struct device_attribute attr;
	size_t offset;
};

static ssize_t counter_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	struct counter *counter = container_of(attr, struct counter, attr);
	struct rbk_card *card = dev_get_drvdata(dev);
	u64 count;

	spin_lock_irq(&card->lock);
	count = *(u64 *)((u8 *)&card->counters + counter->offset);
	spin_unlock_irq(&card->lock);
	return sysfs_emit(buf, "%llu\n", count);
}

static struct counter ticks = {
	__ATTR(ticks, 0444, counter_show, NULL), offsetof(struct rbk_counters, ticks)
};

static struct counter missed = {
	__ATTR(missed, 0444, counter_show, NULL), offsetof(struct rbk_counters, missed)
};

static struct counter underruns = {
	__ATTR(underruns, 0444, counter_show, NULL), offsetof(struct rbk_counters, underruns)
};

static struct counter overruns = {
	__ATTR(overruns, 0444, counter_show, NULL), offsetof(struct rbk_counters, overruns)
};

static struct counter aborts = {
	__ATTR(aborts, 0444, counter_show, NULL), offsetof(struct rbk_counters, aborts)
};

static struct attribute *rbk_attrs[] = {
	&ticks.attr.attr,
	&missed.attr.attr,
	&underruns.attr.attr,
	&overruns.attr.attr,
	&aborts.attr.attr,
	NULL
};

static const struct attribute_group rbk_group = {
	.attrs = rbk_attrs,
};

/* The driver core adds them when the card is bound, and removes them before it is unbound. */
const struct attribute_group *rbk_groups[] = {
	&rbk_group,
	NULL
};
