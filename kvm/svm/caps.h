/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the host's SVM can do, and whether that is enough.
 *
 * Pure: the caller reads CPUID and the MSRs into a struct svm_host, on each
 * CPU; the answer is a value, equal on CPUs that are equal.
 */
#ifndef SVM_CAPS_H
#define SVM_CAPS_H

#include "base/host.h"

/* Read on one CPU. */
struct svm_host {
	bool amd;		/* AuthenticAMD or HygonGenuine */
	u32 ext_ecx;		/* CPUID 8000_0001 ECX */
	u32 svm_eax;		/* CPUID 8000_000A: revision */
	u32 svm_ebx;		/* number of ASIDs */
	u32 svm_edx;		/* features */
	u64 vm_cr;		/* read only if @ext_ecx says SVM; else 0 */
	u64 efer;
};

/* CPUID 8000_000A EDX, APM vol. 3, E.4.9: what this product looks at. */
struct svm_caps {
	u32 asids;		/* 1 .. asids - 1 are for guests */
	bool next_rip;
	bool tsc_ratio;
	bool clean_bits;
	bool flush_by_asid;
	bool decode;
	bool pause_filter;
	bool pause_threshold;
	bool spec_ctrl;		/* SPEC_CTRL has a place in the VMCB */
};

/** svm_caps() - the features of @host; all zero if there is no SVM */
struct svm_caps svm_caps(const struct svm_host *host);

/**
 * svm_refusal() - why @host cannot be used, or NULL if it can
 *
 * One clause for a message to the administrator. An EFER.SVME that is on
 * already means that somebody else owns SVM.
 */
const char *svm_refusal(const struct svm_host *host);

/** svm_caps_cover() - can a vCPU set up for @want run on a CPU with @have */
bool svm_caps_cover(const struct svm_caps *have, const struct svm_caps *want);

#endif
