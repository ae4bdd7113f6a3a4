// SPDX-License-Identifier: GPL-2.0-only
/*
 * The UIO device: map 0 is the registers, map 1 the DMA block.
 *
 * Who has this file is in control of the card, so there is one at a time; when it goes,
 * the card is made safe. A mapping holds the file.
 *
 * The DMA block is an ordinary page that is mapped as such (UIO_MEM_LOGICAL): a process
 * that still has it mapped when the device goes away keeps the page, and only the card
 * loses it. A mapping of coherent memory by its address would then be one of memory
 * that is somebody else's. The price is that the machine has to keep its caches coherent
 * with devices by itself, see rbk_probe().
 */
#include <linux/io.h>

#include "ringback.h"
#include "tiger320.h"

static int rbk_uio_open(struct uio_info *info, struct inode *inode)
{
	struct rbk_card *card = info->priv;
	int ret;

	mutex_lock(&card->control);
	if (card->controlled) {
		ret = -EBUSY;
	} else {
		ret = rbk_card_on(card);
		card->controlled = !ret;
	}
	mutex_unlock(&card->control);
	return ret;
}

static int rbk_uio_release(struct uio_info *info, struct inode *inode)
{
	struct rbk_card *card = info->priv;

	mutex_lock(&card->control);
	rbk_card_safe(card, -EIO);
	card->controlled = false;
	mutex_unlock(&card->control);
	return 0;
}

static int rbk_uio_irqcontrol(struct uio_info *info, s32 irq_on)
{
	struct rbk_card *card = info->priv;
	int ret = -ENODEV;

	spin_lock_irq(&card->lock);
	if (!rbk_gone(card)) {
		iowrite8(irq_on ? TIGER_INT_WANTED : 0, card->registers + TIGER_MASK0);
		ret = 0;
	}
	spin_unlock_irq(&card->lock);
	return ret;
}

/**
 * rbk_uio_add - registers the UIO device
 * @card:	a card whose registers and DMA block are known
 *
 * Return: 0 or a negative errno.
 */
int rbk_uio_add(struct rbk_card *card)
{
	resource_size_t start = pci_resource_start(card->pdev, 1);
	struct uio_mem *map = card->uio.mem;

	map[0].name = "registers";
	map[0].memtype = UIO_MEM_PHYS;
	map[0].addr = start & PAGE_MASK;
	map[0].offs = start & ~PAGE_MASK;
	map[0].size = PAGE_ALIGN(map[0].offs + pci_resource_len(card->pdev, 1));
	map[1].name = "dma";
	map[1].memtype = UIO_MEM_LOGICAL;
	map[1].addr = (phys_addr_t)(uintptr_t)card->dma;
	map[1].size = PAGE_SIZE;

	card->uio.name = RBK_NAME;
	card->uio.version = "1";
	/* The interrupt is requested by us: UIO's own would wake a thread of its for each. */
	card->uio.irq = UIO_IRQ_CUSTOM;
	card->uio.priv = card;
	card->uio.open = rbk_uio_open;
	card->uio.release = rbk_uio_release;
	card->uio.irqcontrol = rbk_uio_irqcontrol;
	return uio_register_device(&card->pdev->dev, &card->uio);
}
