// SPDX-License-Identifier: GPL-2.0-only
/*
 * The UIO device: map 0 is the registers, map 1 the DMA block, a page each.
 *
 * The process that has this file open controls the card, so that only one can open it. When
 * the file is closed, the card is made safe. A mapping keeps the file open.
 *
 * Mappings are filled by page faults, and are revoked when the card goes: the process then
 * finds a page of ones, as if the card had been pulled out, and can reach neither the next
 * owner's card nor memory that is used for something else by now.
 *
 * A process writes to the DMA block, and it can't flush caches. The machine must keep them
 * coherent with devices by itself, see rbk_probe().
 */
#include <linux/capability.h>
#include <linux/fs.h>
#include <linux/io.h>
#include <linux/list.h>
#include <linux/mm.h>

#include "compat.h"
#include "ringback.h"
#include "tiger320.h"

/* Offsets in the UIO file, in pages. */
#define REGISTERS	0
#define DMA_BLOCK	1

/*
 * Cards that were removed while the UIO file was open. UIO does not call the driver when such
 * a file is closed, so that they are freed at the end of the module, which the file keeps
 * loaded.
 */
static LIST_HEAD(orphans);
static DEFINE_MUTEX(orphans_lock);

/* Clears what the last user has left, which must not be readable by the next one. */
static void clear_dma(struct rbk_card *card)
{
	memset(card->dma, 0, PAGE_SIZE);
	memset(card->dma, RBK_SILENCE, RBK_RING_BYTES);
}

static int rbk_uio_open(struct uio_info *info, struct inode *inode)
{
	struct rbk_card *card = info->priv;
	int ret = 0;

	mutex_lock(&card->control);
	if (card->controlled)
		ret = -EBUSY;
	else if (!rbk_card_may_open(card))
		ret = -EPERM;
	else
		ret = rbk_card_on(card);
	if (!ret) {
		WRITE_ONCE(card->controlled, true);
		kref_get(&card->ref);
		ihold(inode);
		card->inode = inode;
		clear_dma(card);
	}
	mutex_unlock(&card->control);
	return ret;
}

static int rbk_uio_release(struct uio_info *info, struct inode *inode)
{
	struct rbk_card *card = info->priv;

	mutex_lock(&card->control);
	rbk_card_safe(card, -EIO);
	WRITE_ONCE(card->controlled, false);
	card->inode = NULL;
	mutex_unlock(&card->control);
	iput(inode);
	kref_put(&card->ref, rbk_card_free);
	return 0;
}

static int rbk_uio_irqcontrol(struct uio_info *info, s32 irq_on)
{
	struct rbk_card *card = info->priv;
	int ret = -ENODEV;

	spin_lock_irq(&card->lock);
	if (card->paused) {
		ret = -EBUSY;
	} else if (!rbk_gone(card)) {
		iowrite8(irq_on ? TIGER_INT_WANTED : 0, card->registers + TIGER_MASK0);
		ret = 0;
	}
	spin_unlock_irq(&card->lock);
	return ret;
}

static vm_fault_t rbk_uio_fault(struct vm_fault *vmf)
{
	struct vm_area_struct *vma = vmf->vma;
	struct rbk_card *card = vma->vm_private_data;
	pgprot_t protection = vm_get_page_prot(vma->vm_flags);
	unsigned long frame;
	vm_fault_t ret;

	mutex_lock(&card->control);
	if (card->removed) {
		frame = page_to_pfn(card->stand_in);
	} else if (vmf->pgoff == DMA_BLOCK) {
		frame = page_to_pfn(card->dma_page);
	} else {
		frame = pci_resource_start(card->pdev, 1) >> PAGE_SHIFT;
		protection = pgprot_noncached(protection);
	}
	ret = vmf_insert_pfn_prot(vma, vmf->address, frame, protection);
	mutex_unlock(&card->control);
	return ret;
}

static const struct vm_operations_struct rbk_uio_operations = {
	.fault = rbk_uio_fault,
};

/* UIO has checked that it is one page of one of the maps. */
static int rbk_uio_map(struct uio_info *info, struct compat_mapping *mapping)
{
	/*
	 * A private page would be copied when it is written, so that nothing would reach the
	 * card.
	 */
	if (!compat_is_shared(mapping))
		return -EINVAL;
	compat_map_frames(mapping, &rbk_uio_operations, info->priv);
	return 0;
}

/**
 * rbk_uio_revoke - revokes the mappings of processes
 * @card:	a card that is @removed; rbk_card.control is held
 */
void rbk_uio_revoke(struct rbk_card *card)
{
	/* Only one file is open at a time, so that this is the only inode with mappings. */
	if (card->inode)
		unmap_mapping_range(card->inode->i_mapping, 0, 0, 1);
}

/**
 * rbk_uio_add - registers the UIO device
 * @card:	a card whose registers and DMA block are known
 *
 * Return: 0 or a negative errno.
 */
int rbk_uio_add(struct rbk_card *card)
{
	struct uio_mem *map = card->uio.mem;
	int ret;

	map[REGISTERS].name = "registers";
	map[REGISTERS].memtype = UIO_MEM_PHYS;
	map[REGISTERS].addr = pci_resource_start(card->pdev, 1);
	map[REGISTERS].size = PAGE_SIZE;
	/*
	 * The address at which the card accesses it. Its address in the kernel is not shown.
	 */
	map[DMA_BLOCK].name = "dma";
	map[DMA_BLOCK].memtype = UIO_MEM_IOVA;
	map[DMA_BLOCK].addr = card->dma_address;
	map[DMA_BLOCK].size = PAGE_SIZE;

	card->uio.name = RBK_NAME;
	card->uio.version = "1";
	/*
	 * The module requests the interrupt: UIO's own handler would wake a thread for each.
	 */
	card->uio.irq = UIO_IRQ_CUSTOM;
	card->uio.priv = card;
	card->uio.open = rbk_uio_open;
	card->uio.release = rbk_uio_release;
	card->uio.irqcontrol = rbk_uio_irqcontrol;
	card->uio.compat_mmap = rbk_uio_map;
	ret = uio_register_device(&card->pdev->dev, &card->uio);
	if (ret)
		return ret;

	/* A process may have opened it before UIO was ready, and missed an interrupt. */
	spin_lock_irq(&card->lock);
	card->announced = true;
	spin_unlock_irq(&card->lock);
	uio_event_notify(&card->uio);
	return 0;
}

/**
 * rbk_uio_remove - unregisters the UIO device
 * @card:	a card that is @removed
 */
void rbk_uio_remove(struct rbk_card *card)
{
	uio_unregister_device(&card->uio);
	/* No callback comes any more: an open file keeps itself, and the card, alive. */
	if (!card->controlled)
		return;
	iput(card->inode);
	card->inode = NULL;
	mutex_lock(&orphans_lock);
	list_add(&card->orphan, &orphans);
	mutex_unlock(&orphans_lock);
}

/**
 * rbk_uio_orphans_free - frees the cards whose UIO files were open when they were removed
 *
 * Called at the end of the module: none of these files is open any more.
 */
void rbk_uio_orphans_free(void)
{
	struct rbk_card *card, *next;

	list_for_each_entry_safe(card, next, &orphans, orphan)
		kref_put(&card->ref, rbk_card_free);
}
