/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the host wants of a thread between two entries: to reschedule, to
 * handle a signal, or to run work that only the way back to user mode runs.
 *
 * The kernel's xfer_to_guest_mode_handle_work() writes to its own struct of a
 * vCPU, so it is not for us. Rescheduling is done here. A signal ends KVM_RUN
 * with -EINTR. Queued task work and memory throttling end it with
 * -ERESTARTNOINTR: the thread goes through the kernel's exit path, which runs
 * the work and then calls KVM_RUN again, and the VMM sees nothing of it.
 * TIF_NOTIFY_RESUME for other reasons, above all restartable sequences, which
 * set it at each context switch, concerns nothing but user mode and waits for
 * the next return to it.
 */
#ifndef CORE_HOSTWORK_H
#define CORE_HOSTWORK_H

#include <linux/sched/signal.h>
#include <linux/task_work.h>
#include <linux/thread_info.h>

/* Is TIF_NOTIFY_RESUME set for what concerns more than user mode? */
static inline bool hostwork_queued(void)
{
	if (task_work_pending(current))
		return true;
#ifdef CONFIG_MEMCG
	if (current->memcg_nr_pages_over_high)
		return true;
#endif
	return false;
}

/**
 * hostwork_leave() - must KVM_RUN return; the vCPU's thread
 *
 * 0: no. -EINTR: a signal is pending. -ERESTARTNOINTR: other work is.
 */
static inline int hostwork_leave(void)
{
	unsigned long flags = read_thread_flags();

	if (unlikely(flags & _TIF_SIGPENDING))
		return -EINTR;
	if (unlikely(flags & _TIF_NOTIFY_SIGNAL))
		return -ERESTARTNOINTR;
	if ((flags & _TIF_NOTIFY_RESUME) && hostwork_queued())
		return -ERESTARTNOINTR;
	return 0;
}

/** hostwork_restart() - let the exit path act on -ERESTARTNOINTR, which it
 * looks at only where a signal may be pending
 */
static inline void hostwork_restart(void)
{
	set_thread_flag(TIF_SIGPENDING);
}

/** hostwork_pending() - is an entry to be called off; interrupts off */
static inline bool hostwork_pending(void)
{
	unsigned long flags = read_thread_flags();

	if (unlikely(flags & (_TIF_NEED_RESCHED | _TIF_SIGPENDING |
			      _TIF_NOTIFY_SIGNAL)))
		return true;
	return (flags & _TIF_NOTIFY_RESUME) && hostwork_queued();
}

#endif
