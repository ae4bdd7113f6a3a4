/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Everything that depends on the kernel's version, 6.1 and newer. One entry per
 * change; an entry goes when the last kernel that needs it is no longer supported.
 *
 * Kbuild looks into the kernel's headers to find out what there is, because distributions
 * backport changes to older versions.
 */
#ifndef RINGBACK_COMPAT_H
#define RINGBACK_COMPAT_H

#include <linux/fs.h>
#include <linux/hrtimer.h>
#include <linux/mm.h>
#include <linux/vmalloc.h>

/* hrtimer_setup() was added in 6.13, hrtimer_init() removed in 6.15. */
#ifndef HAVE_HRTIMER_SETUP
static inline void hrtimer_setup(struct hrtimer *timer,
				 enum hrtimer_restart (*function)(struct hrtimer *),
				 clockid_t clock, enum hrtimer_mode mode)
{
	hrtimer_init(timer, clock, mode);
	timer->function = function;
}
#endif

/*
 * A UIO driver's own mmap. Newer kernels ask for a description of the mapping (mmap_prepare);
 * older ones let the driver change it (mmap).
 */
#ifdef HAVE_MMAP_PREPARE

#define compat_mapping	vm_area_desc
#define compat_mmap	mmap_prepare

static inline bool compat_is_shared(const struct vm_area_desc *mapping)
{
	return vma_desc_test(mapping, VMA_MAYSHARE_BIT);
}

/* Makes page faults able to insert page frames of any kind. */
static inline void compat_map_frames(struct vm_area_desc *mapping,
				     const struct vm_operations_struct *operations, void *data)
{
	vma_desc_set_flags(mapping, VMA_IO_BIT, VMA_PFNMAP_BIT, VMA_DONTEXPAND_BIT,
			   VMA_DONTDUMP_BIT);
	mapping->vm_ops = operations;
	mapping->private_data = data;
}

/* Maps memory of vmalloc_user(), which consists of these pages. */
static inline int compat_map_vmalloc(struct vm_area_desc *mapping, void *memory,
				     struct page **pages)
{
	vma_desc_set_flags(mapping, VMA_DONTEXPAND_BIT, VMA_DONTDUMP_BIT);
	mmap_action_map_kernel_pages_full(mapping, pages);
	return 0;
}

#else

#define compat_mapping	vm_area_struct
#define compat_mmap	mmap

static inline bool compat_is_shared(const struct vm_area_struct *mapping)
{
	return mapping->vm_flags & VM_MAYSHARE;
}

static inline void compat_map_frames(struct vm_area_struct *mapping,
				     const struct vm_operations_struct *operations, void *data)
{
	unsigned long flags = VM_IO | VM_PFNMAP | VM_DONTEXPAND | VM_DONTDUMP;

	/* vm_flags_set() was added in 6.3. */
#ifdef HAVE_VM_FLAGS_SET
	vm_flags_set(mapping, flags);
#else
	mapping->vm_flags |= flags;
#endif
	mapping->vm_ops = operations;
	mapping->vm_private_data = data;
}

static inline int compat_map_vmalloc(struct vm_area_struct *mapping, void *memory,
				     struct page **pages)
{
	return remap_vmalloc_range(mapping, memory, 0);
}

#endif

#endif
