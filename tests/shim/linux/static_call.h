/* SPDX-License-Identifier: GPL-2.0-only */
/* core/backend.h declares static calls; pure code makes none. */
#ifndef SHIM_LINUX_STATIC_CALL_H
#define SHIM_LINUX_STATIC_CALL_H

#define DECLARE_STATIC_CALL(name, func) extern int shim_no_static_call

#endif
