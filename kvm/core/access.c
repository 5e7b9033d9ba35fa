// SPDX-License-Identifier: GPL-2.0-only
/*
 * Linear accesses: see access.h.
 */
#include "core/access.h"
#include "x86/walk.h"

/* One linear access as one or two physical pieces. */
struct access_span {
	struct gpa gpa[2];
	unsigned int len[2];
	unsigned int pieces;
};

static enum mem_rc access_span(const struct access_env *env,
			       struct access_what what,
			       struct access_span *span)
{
	unsigned int first = min_t(u64, what.size,
				   PAGE_SIZE - offset_in_page(what.linear));
	enum mem_rc rc;

	rc = env->ops->translate(env, what.linear, what.access, &span->gpa[0]);
	if (rc != MEM_OK)
		return rc;
	span->len[0] = first;
	span->pieces = 1;
	if (first == what.size)
		return MEM_OK;
	what.linear += first;
	if (!env->wide)
		what.linear = (u32)what.linear;
	span->len[1] = what.size - first;
	span->pieces = 2;
	return env->ops->translate(env, what.linear, what.access,
				   &span->gpa[1]);
}

static enum mem_rc access_device(const struct access_env *env, struct gpa gpa,
				 void *buf, unsigned int len, bool write)
{
	unsigned int part;
	enum mem_rc rc;

	for (; len; len -= part, gpa.v += part, buf += part) {
		part = min_t(unsigned int, len, ACCESS_DEVICE_MAX);
		rc = env->ops->device(env, gpa, buf, part, write);
		if (rc != MEM_OK)
			return rc;
	}
	return MEM_OK;
}

enum mem_rc access_read(const struct access_env *env, struct access_what what,
			void *buf)
{
	struct access_span span;
	enum mem_rc rc;
	unsigned int i;

	rc = access_span(env, what, &span);
	for (i = 0; rc == MEM_OK && i < span.pieces; i++) {
		rc = env->ops->read(env, span.gpa[i], buf, span.len[i]);
		if (rc == MEM_MMIO)
			rc = access_device(env, span.gpa[i], buf, span.len[i],
					   false);
		buf += span.len[i];
	}
	return rc;
}

static enum mem_rc write_piece(const struct access_env *env,
			       const struct access_span *span, unsigned int i,
			       const void *buf)
{
	enum mem_rc rc;

	if (i)
		buf += span->len[0];
	rc = env->ops->write(env, span->gpa[i], buf, span->len[i]);
	if (rc == MEM_MMIO)
		rc = access_device(env, span->gpa[i], (void *)buf,
				   span->len[i], true);
	return rc;
}

enum mem_rc access_write(const struct access_env *env, struct access_what what,
			 const void *buf)
{
	struct access_span span;
	enum mem_rc rc;
	unsigned int i;

	rc = access_span(env, what, &span);
	if (rc != MEM_OK)
		return rc;
	if (span.pieces == 1)
		return write_piece(env, &span, 0, buf);
	/* A device's before memory's; else in their order */
	i = env->ops->probe(env, span.gpa[0], true) == MEM_OK &&
	    env->ops->probe(env, span.gpa[1], true) == MEM_MMIO;
	rc = write_piece(env, &span, i, buf);
	return rc == MEM_OK ? write_piece(env, &span, !i, buf) : rc;
}

enum mem_rc access_check(const struct access_env *env,
			 struct access_what what)
{
	struct gpa gpa;
	enum mem_rc rc;

	rc = env->ops->translate(env, what.linear, what.access, &gpa);
	return rc == MEM_OK ? env->ops->probe(env, gpa,
					      what.access & WALK_WRITE) : rc;
}

enum mem_rc access_swap(const struct access_env *env, struct access_what what,
			void *old, const void *new)
{
	u64 old_word = 0, new_word = 0;
	struct access_span span;
	enum mem_rc rc;

	rc = access_span(env, what, &span);
	if (rc != MEM_OK)
		return rc;
	if (span.pieces > 1 || !access_is_atomic(span.gpa[0], what.size))
		return access_write(env, what, new);
	memcpy(&old_word, old, what.size);
	memcpy(&new_word, new, what.size);
	rc = env->ops->exchange(env, span.gpa[0], &old_word, new_word, what.size);
	if (rc == MEM_MMIO)
		return access_device(env, span.gpa[0], (void *)new, what.size,
				     true);
	if (rc == MEM_OK)
		memcpy(old, &old_word, what.size);
	return rc;
}
