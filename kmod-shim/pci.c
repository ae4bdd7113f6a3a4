// SPDX-License-Identifier: GPL-2.0-only
/*
 * Ringback's kernel module: cards with a Tiger320 that carry FXS and FXO modules (Digium
 * TDM400P, OpenVox A400P and their clones).
 *
 * uio_pci_generic refuses these cards because the chip has no INTx-disable bit, and vfio-pci
 * needs an interrupt line that no other device uses. Therefore this module acknowledges the
 * interrupt, and on request moves the samples; userspace does everything else.
 *
 * This file binds and unbinds cards.
 */
#include <linux/capability.h>
#include <linux/dma-map-ops.h>
#include <linux/dma-mapping.h>
#include <linux/idr.h>
#include <linux/interrupt.h>
#include <linux/io.h>
#include <linux/iommu.h>
#include <linux/jiffies.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/pm.h>
#include <linux/slab.h>

#include "ringback.h"
#include "tiger320.h"

#define PCI_VENDOR_TIGERJET	0xe159
#define PCI_DEVICE_TIGER320	0x0001

#define PARAMETER	"allow_unconfined"

static bool allow_unconfined;
module_param(allow_unconfined, bool, 0644);
MODULE_PARM_DESC(allow_unconfined,
		 "let whoever may open /dev/uioN do so where no IOMMU keeps the card from the machine's memory, which makes them as mighty as root (default N: takes CAP_SYS_RAWIO)");

/*
 * A workqueue of the watchdog's own. The system's may be full of work that sleeps, and a wait
 * for the watchdog would wait for that, too. It freezes with the machine, because cards must
 * not be read while the machine sleeps, and it has a rescuer thread for when memory is short.
 */
struct workqueue_struct *rbk_workqueue;

static DEFINE_IDA(rbk_numbers);

/*
 * Whether an IOMMU confines the card to the memory that was mapped for it. An IOMMU group is
 * not enough: with iommu=pt its domain contains all memory.
 */
static bool is_confined(struct rbk_card *card)
{
	struct iommu_domain *domain = iommu_get_domain_for_dev(&card->pdev->dev);

	return domain && iommu_is_dma_domain(domain);
}

/**
 * rbk_card_may_open - whether the caller may have the registers, by which DMA is programmed
 * @card:	the card; rbk_card.control is held
 *
 * Return: false if DMA could reach all of the machine's memory and the caller lacks the
 * capability.
 */
bool rbk_card_may_open(struct rbk_card *card)
{
	struct device *dev = &card->pdev->dev;

	if (is_confined(card) || READ_ONCE(allow_unconfined))
		return true;
	if (!capable(CAP_SYS_RAWIO)) {
		dev_notice_ratelimited(dev,
				       "refused to %s (%d): no IOMMU keeps the card from the machine's memory\n",
				       current->comm, task_pid_nr(current));
		dev_notice_ratelimited(dev,
				       "to allow it: options %s %s=1 in /etc/modprobe.d/%s.conf\n",
				       RBK_NAME, PARAMETER, RBK_NAME);
		return false;
	}
	dev_warn_once(dev, "%s (%d) has the card, which no IOMMU keeps from the machine's memory\n",
		      current->comm, task_pid_nr(current));
	add_taint(TAINT_USER, LOCKDEP_STILL_OK);
	return true;
}

static int rbk_dma_alloc(struct rbk_card *card)
{
	struct device *dev = &card->pdev->dev;
	int ret;

	/*
	 * The other side of the mapping is a process, which can't flush caches, and on a
	 * coherent machine it need not: dma_sync_single_*() would do nothing. With an IOMMU on
	 * 6.1 dma_need_sync() does not return whether that is so; therefore this function is
	 * used, which is meant for implementations of DMA. dma_mmap_coherent() would work
	 * without the check, but it maps at once and not by page faults, so that nothing could
	 * replace the page when the card is gone.
	 */
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
	return 0;
}

/* Called when no process has the page mapped any more. */
static void rbk_dma_free(struct rbk_card *card)
{
	dma_free_pages(&card->pdev->dev, PAGE_SIZE, card->dma_page, card->dma_address,
		       DMA_BIDIRECTIONAL);
}

/* Ends the requests that were queued until then, and waits for the watchdog. */
static void rbk_settle(struct rbk_card *card)
{
	cancel_delayed_work_sync(&card->watchdog);
	rbk_requests_fail(card, -ENODEV);
	/* The watchdog would have completed these. */
	rbk_requests_complete(card, &card->cancelled, -ECANCELED);
}

/* Checks that the registers are as expected, and that nothing else is on their page. */
static int rbk_check(struct rbk_card *card)
{
	struct pci_dev *pdev = card->pdev;
	struct device *dev = &pdev->dev;

	if (!(pci_resource_flags(pdev, 1) & IORESOURCE_MEM) ||
	    pci_resource_len(pdev, 1) < TIGER_WINDOW)
		return dev_err_probe(dev, -ENODEV, "BAR1 is not a Tiger320's registers\n");
	/* Otherwise a process that maps them would map registers of other devices, too. */
	if (!PAGE_ALIGNED(pci_resource_start(pdev, 1)) ||
	    pci_resource_len(pdev, 1) < PAGE_SIZE)
		return dev_err_probe(dev, -EOPNOTSUPP,
				     "the registers (BAR1, %pR) share a page of %lu bytes with something else\n",
				     &pdev->resource[1], PAGE_SIZE);
	return 0;
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
	INIT_LIST_HEAD(&card->cancelled);
	card->moved = jiffies;
	rbk_ports_prepare(card);
	pci_set_drvdata(pdev, card);

	card->stand_in = alloc_page(GFP_KERNEL);
	if (!card->stand_in) {
		ret = -ENOMEM;
		goto put_card;
	}
	memset(page_address(card->stand_in), 0xff, PAGE_SIZE);
	card->number = ida_alloc_max(&rbk_numbers, RBK_MAX_CARDS - 1, GFP_KERNEL);
	if (card->number < 0) {
		ret = dev_err_probe(dev, card->number, "there are %d cards already\n",
				    RBK_MAX_CARDS);
		goto put_card;
	}
	/* The registers are in memory; I/O ports may not even be assigned. */
	ret = pci_enable_device_mem(pdev);
	if (ret) {
		dev_err_probe(dev, ret, "can't enable the card\n");
		goto free_number;
	}
	/* The state to restore after an error of the bus. */
	pci_save_state(pdev);
	ret = pci_request_region(pdev, 1, RBK_NAME);
	if (ret) {
		dev_err_probe(dev, ret, "somebody else has the registers (BAR1)\n");
		goto disable;
	}
	ret = rbk_check(card);
	if (ret)
		goto release;
	card->registers = pci_iomap(pdev, 1, 0);
	if (!card->registers) {
		ret = -ENOMEM;
		goto release;
	}
	if (!rbk_card_answers(card)) {
		ret = dev_err_probe(dev, -ENODEV, "the card reads all ones\n");
		goto unmap;
	}
	ret = rbk_dma_alloc(card);
	if (ret)
		goto unmap;

	/* An earlier driver may have left it running. */
	mutex_lock(&card->control);
	rbk_card_safe(card, -EIO);
	mutex_unlock(&card->control);

	/*
	 * UIO and the ports announce themselves to userspace. Everything must be ready by
	 * then, including the handler that acknowledges the first interrupts.
	 */
	ret = request_irq(pdev->irq, rbk_interrupt, IRQF_SHARED, RBK_NAME, card);
	if (ret) {
		dev_err_probe(dev, ret, "no interrupt\n");
		goto free_dma;
	}
	ret = rbk_uio_add(card);
	if (ret) {
		dev_err_probe(dev, ret, "can't register the UIO device\n");
		goto free_interrupt;
	}
	ret = rbk_ports_add(card);
	if (ret) {
		dev_err_probe(dev, ret, "can't make the ports' files\n");
		goto remove_uio;
	}
	dev_info(dev, "card %d, subsystem %04x:%04x, files /dev/" RBK_NAME "%dp0 to p%d\n",
		 card->number, pdev->subsystem_vendor, pdev->subsystem_device,
		 card->number, RBK_PORTS - 1);
	return 0;

remove_uio:
	rbk_card_retire(card);
	free_irq(pdev->irq, card);
	rbk_settle(card);
	rbk_uio_remove(card);
	goto free_dma;
free_interrupt:
	/*
	 * A process may have opened what UIO could not register in the end; it keeps the card
	 * alive, but not this.
	 */
	rbk_card_retire(card);
	free_irq(pdev->irq, card);
	rbk_settle(card);
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

	rbk_card_retire(card);
	free_irq(pdev->irq, card);
	rbk_settle(card);
	rbk_ports_remove(card);
	rbk_uio_remove(card);
	rbk_dma_free(card);
	pci_iounmap(pdev, card->registers);
	pci_release_region(pdev, 1);
	pci_disable_device(pdev);
	ida_free(&rbk_numbers, card->number);
	kref_put(&card->ref, rbk_card_free);
}

/*
 * Processes are frozen, so that none starts the card again. Interrupts are served until the
 * kernel masks them all, because one may still be under way, and others may share the line.
 */
static int rbk_suspend(struct device *dev)
{
	struct rbk_card *card = dev_get_drvdata(dev);

	mutex_lock(&card->control);
	rbk_card_safe(card, -EIO);
	mutex_unlock(&card->control);
	return 0;
}

static int rbk_suspend_noirq(struct device *dev)
{
	rbk_card_pause(dev_get_drvdata(dev), -EIO);
	return 0;
}

static int rbk_resume(struct device *dev)
{
	rbk_card_continue(dev_get_drvdata(dev));
	return 0;
}

static const struct dev_pm_ops rbk_pm = {
	SYSTEM_SLEEP_PM_OPS(rbk_suspend, rbk_resume)
	NOIRQ_SYSTEM_SLEEP_PM_OPS(rbk_suspend_noirq, NULL)
};

/*
 * Processes may still run, and the next kernel (kexec) finds the card in the state that is
 * left here: no process may start it again.
 */
static void rbk_shutdown(struct pci_dev *pdev)
{
	rbk_card_retire(pci_get_drvdata(pdev));
}

static pci_ers_result_t rbk_error_detected(struct pci_dev *pdev, pci_channel_state_t state)
{
	if (state == pci_channel_io_perm_failure)
		return PCI_ERS_RESULT_DISCONNECT;
	rbk_card_pause(pci_get_drvdata(pdev), -EIO);
	return PCI_ERS_RESULT_NEED_RESET;
}

static pci_ers_result_t rbk_slot_reset(struct pci_dev *pdev)
{
	pci_restore_state(pdev);
	return PCI_ERS_RESULT_RECOVERED;
}

static void rbk_error_resume(struct pci_dev *pdev)
{
	rbk_card_continue(pci_get_drvdata(pdev));
}

/* The function or its bus is being reset, for example through sysfs. */
static void rbk_reset_prepare(struct pci_dev *pdev)
{
	rbk_card_pause(pci_get_drvdata(pdev), -EIO);
}

static void rbk_reset_done(struct pci_dev *pdev)
{
	rbk_card_continue(pci_get_drvdata(pdev));
}

static const struct pci_error_handlers rbk_errors = {
	.error_detected = rbk_error_detected,
	.slot_reset = rbk_slot_reset,
	.resume = rbk_error_resume,
	.reset_prepare = rbk_reset_prepare,
	.reset_done = rbk_reset_done,
};

#define RBK_CARD(_subvendor) \
	{ PCI_DEVICE_SUB(PCI_VENDOR_TIGERJET, PCI_DEVICE_TIGER320, _subvendor, PCI_ANY_ID) }

/*
 * The chip is on many cards: the subsystem's vendor decides whether a card is one of these.
 * Others can be added by new_id.
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
	.err_handler = &rbk_errors,
	.dev_groups = rbk_groups,
	.driver.pm = pm_sleep_ptr(&rbk_pm),
};

static int __init rbk_init(void)
{
	int ret;

	rbk_workqueue = alloc_workqueue(RBK_NAME, WQ_UNBOUND | WQ_FREEZABLE | WQ_MEM_RECLAIM, 0);
	if (!rbk_workqueue)
		return -ENOMEM;
	ret = rbk_ports_register();
	if (ret)
		goto destroy;
	ret = pci_register_driver(&rbk_driver);
	if (ret)
		goto unregister;
	return 0;

unregister:
	rbk_ports_unregister();
destroy:
	destroy_workqueue(rbk_workqueue);
	return ret;
}

static void __exit rbk_exit(void)
{
	pci_unregister_driver(&rbk_driver);
	rbk_uio_orphans_free();
	rbk_ports_unregister();
	ida_destroy(&rbk_numbers);
	destroy_workqueue(rbk_workqueue);
}

module_init(rbk_init);
module_exit(rbk_exit);

MODULE_DESCRIPTION("Ringback: UIO and char devices for PCI analog telephony cards with a Tiger320");
MODULE_AUTHOR("The Ringback authors");
MODULE_LICENSE("GPL");
