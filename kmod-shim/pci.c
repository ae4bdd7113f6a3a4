// SPDX-License-Identifier: GPL-2.0-only
/*
 * Ringback's kernel module: cards with a Tiger320 that carry FXS and FXO modules (Digium
 * TDM400P, OpenVox A400P and their clones).
 *
 * uio_pci_generic refuses them because the chip has no INTx-disable bit, and vfio-pci
 * wants an interrupt line that nobody else uses. So the interrupt is acknowledged here,
 * and, for who wants it, the samples are moved here; everything else is userspace's.
 *
 * This file binds and unbinds.
 */
#include <linux/dma-map-ops.h>
#include <linux/dma-mapping.h>
#include <linux/idr.h>
#include <linux/interrupt.h>
#include <linux/io.h>
#include <linux/jiffies.h>
#include <linux/module.h>
#include <linux/pm.h>
#include <linux/slab.h>
#include <linux/sysfs.h>

#include "ringback.h"
#include "tiger320.h"

#define PCI_VENDOR_TIGERJET	0xe159
#define PCI_DEVICE_TIGER320	0x0001

static DEFINE_IDA(rbk_numbers);

static int rbk_dma_alloc(struct rbk_card *card)
{
	struct device *dev = &card->pdev->dev;
	int ret;

	/* The other side of the mapping is a process, which can't flush caches. */
	if (!dev_is_dma_coherent(dev))
		return dev_err_probe(dev, -EOPNOTSUPP,
				     "needs a machine whose caches are coherent with PCI devices\n");
	ret = dma_set_mask_and_coherent(dev, DMA_BIT_MASK(32));
	if (ret)
		return dev_err_probe(dev, ret, "no memory within the card's reach, 32 bits\n");
	card->dma_page = dma_alloc_pages(dev, PAGE_SIZE, &card->dma_address,
					 DMA_BIDIRECTIONAL, GFP_KERNEL);
	if (!card->dma_page)
		return -ENOMEM;
	card->dma = page_address(card->dma_page);
	memset(card->dma, RBK_SILENCE, RBK_RING_BYTES);
	return 0;
}

/* A process that has the page mapped keeps it. */
static void rbk_dma_free(struct rbk_card *card)
{
	dma_free_pages(&card->pdev->dev, PAGE_SIZE, card->dma_page, card->dma_address,
		       DMA_BIDIRECTIONAL);
}

/*
 * A process may still have the registers mapped. Until the next driver comes nobody
 * answers it there, as if the card were gone, and it can't make the card interrupt with
 * nobody to acknowledge.
 */
static void rbk_hide(struct rbk_card *card)
{
	u16 command;

	pci_read_config_word(card->pdev, PCI_COMMAND, &command);
	/* The process may have been at it since the card was made safe. */
	iowrite8(0, card->registers + TIGER_MASK0);
	iowrite8(0, card->registers + TIGER_MASK1);
	pci_write_config_word(card->pdev, PCI_COMMAND, command & ~PCI_COMMAND_MEMORY);
}

/* Makes the card safe; nobody touches it, and nothing new is queued, after that. */
static void rbk_retire(struct rbk_card *card)
{
	mutex_lock(&card->control);
	rbk_card_safe(card, -ENODEV);
	spin_lock_irq(&card->lock);
	if (!card->removed)
		rbk_hide(card);
	card->removed = true;
	spin_unlock_irq(&card->lock);
	mutex_unlock(&card->control);
}

/* Ends what may have been queued until then, and sends away all who wait. */
static void rbk_settle(struct rbk_card *card)
{
	cancel_delayed_work_sync(&card->watchdog);
	rbk_requests_fail(card, -ENODEV);
}

static int rbk_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct device *dev = &pdev->dev;
	struct rbk_card *card;
	int ret;

	card = kzalloc(sizeof(*card), GFP_KERNEL);
	if (!card)
		return -ENOMEM;
	kref_init(&card->ref);
	card->pdev = pdev;
	spin_lock_init(&card->lock);
	mutex_init(&card->control);
	INIT_DELAYED_WORK(&card->watchdog, rbk_watch);
	card->moved = jiffies;
	rbk_ports_prepare(card);
	pci_set_drvdata(pdev, card);

	card->number = ida_alloc_max(&rbk_numbers, RBK_MAX_CARDS - 1, GFP_KERNEL);
	if (card->number < 0) {
		ret = dev_err_probe(dev, card->number, "there are %d cards already\n",
				    RBK_MAX_CARDS);
		goto put_card;
	}
	/* The registers are in memory; ports may not even have been assigned. */
	ret = pci_enable_device_mem(pdev);
	if (ret) {
		dev_err_probe(dev, ret, "can't enable the card\n");
		goto free_number;
	}
	ret = pci_request_region(pdev, 1, RBK_NAME);
	if (ret) {
		dev_err_probe(dev, ret, "somebody else has the registers (BAR1)\n");
		goto disable;
	}
	if (!(pci_resource_flags(pdev, 1) & IORESOURCE_MEM) ||
	    pci_resource_len(pdev, 1) < TIGER_WINDOW) {
		ret = dev_err_probe(dev, -ENODEV, "BAR1 is not a Tiger320's registers\n");
		goto release;
	}
	card->registers = pci_iomap(pdev, 1, 0);
	if (!card->registers) {
		ret = -ENOMEM;
		goto release;
	}
	ret = rbk_dma_alloc(card);
	if (ret)
		goto unmap;

	/* Whoever had the card before may have left it running. */
	mutex_lock(&card->control);
	rbk_card_safe(card, -EIO);
	mutex_unlock(&card->control);

	/* UIO and the ports announce themselves: by then all must be there. */
	ret = sysfs_create_group(&dev->kobj, &rbk_group);
	if (ret)
		goto free_dma;
	ret = rbk_uio_add(card);
	if (ret) {
		dev_err_probe(dev, ret, "can't register the UIO device\n");
		goto remove_group;
	}
	ret = request_irq(pdev->irq, rbk_interrupt, IRQF_SHARED, RBK_NAME, card);
	if (ret) {
		dev_err_probe(dev, ret, "no interrupt\n");
		goto remove_uio;
	}
	ret = rbk_ports_add(card);
	if (ret) {
		dev_err_probe(dev, ret, "can't make the ports' files\n");
		goto free_interrupt;
	}
	dev_info(dev, "card %d, subsystem %04x:%04x, files /dev/" RBK_NAME "%dp0 to p%d\n",
		 card->number, pdev->subsystem_vendor, pdev->subsystem_device,
		 card->number, RBK_PORTS - 1);
	return 0;

free_interrupt:
	rbk_retire(card);
	free_irq(pdev->irq, card);
	rbk_settle(card);
remove_uio:
	rbk_retire(card);
	uio_unregister_device(&card->uio);
remove_group:
	sysfs_remove_group(&dev->kobj, &rbk_group);
free_dma:
	rbk_dma_free(card);
unmap:
	pci_iounmap(pdev, card->registers);
release:
	pci_release_region(pdev, 1);
disable:
	pci_disable_device(pdev);
free_number:
	ida_free(&rbk_numbers, card->number);
put_card:
	kref_put(&card->ref, rbk_card_free);
	return ret;
}

static void rbk_remove(struct pci_dev *pdev)
{
	struct rbk_card *card = pci_get_drvdata(pdev);

	rbk_retire(card);
	free_irq(pdev->irq, card);
	rbk_settle(card);
	rbk_ports_remove(card);
	uio_unregister_device(&card->uio);
	sysfs_remove_group(&pdev->dev.kobj, &rbk_group);
	rbk_dma_free(card);
	pci_iounmap(pdev, card->registers);
	pci_release_region(pdev, 1);
	pci_disable_device(pdev);
	ida_free(&rbk_numbers, card->number);
	kref_put(&card->ref, rbk_card_free);
}

static int rbk_suspend(struct device *dev)
{
	struct rbk_card *card = dev_get_drvdata(dev);

	mutex_lock(&card->control);
	rbk_card_safe(card, -EIO);
	mutex_unlock(&card->control);
	return 0;
}

/* The card is as after power-on. Who has it starts it again, as after any stand-still. */
static int rbk_resume(struct device *dev)
{
	struct rbk_card *card = dev_get_drvdata(dev);

	mutex_lock(&card->control);
	if (card->controlled)
		rbk_card_on(card);
	mutex_unlock(&card->control);
	return 0;
}

static DEFINE_SIMPLE_DEV_PM_OPS(rbk_pm, rbk_suspend, rbk_resume);

static void rbk_shutdown(struct pci_dev *pdev)
{
	rbk_suspend(&pdev->dev);
}

#define RBK_CARD(_subvendor) \
	{ PCI_DEVICE_SUB(PCI_VENDOR_TIGERJET, PCI_DEVICE_TIGER320, _subvendor, PCI_ANY_ID) }

/*
 * The chip is on many cards: who made the card tells whether it is one of these. More
 * can be had by new_id.
 */
static const struct pci_device_id rbk_cards[] = {
	RBK_CARD(0xa159),
	RBK_CARD(0xe159),
	RBK_CARD(0xb100),
	RBK_CARD(0xb1d9),
	RBK_CARD(0xb118),
	RBK_CARD(0xb119),
	RBK_CARD(0xa9fd),
	RBK_CARD(0xa8fd),
	RBK_CARD(0xa800),
	RBK_CARD(0xa801),
	RBK_CARD(0xa908),
	RBK_CARD(0xa901),
	{ }
};
MODULE_DEVICE_TABLE(pci, rbk_cards);

static struct pci_driver rbk_driver = {
	.name = RBK_NAME,
	.id_table = rbk_cards,
	.probe = rbk_probe,
	.remove = rbk_remove,
	.shutdown = rbk_shutdown,
	.driver.pm = pm_sleep_ptr(&rbk_pm),
};

static int __init rbk_init(void)
{
	int ret = rbk_ports_register();

	if (ret)
		return ret;
	ret = pci_register_driver(&rbk_driver);
	if (ret)
		rbk_ports_unregister();
	return ret;
}

static void __exit rbk_exit(void)
{
	pci_unregister_driver(&rbk_driver);
	rbk_ports_unregister();
	ida_destroy(&rbk_numbers);
}

module_init(rbk_init);
module_exit(rbk_exit);

MODULE_DESCRIPTION("Ringback: UIO and char devices for PCI analog telephony cards with a Tiger320");
MODULE_AUTHOR("The Ringback authors");
MODULE_LICENSE("GPL");
