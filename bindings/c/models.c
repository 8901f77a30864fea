//go:build cgo

/* models.c: the functions of resnext.h about models. Each checks what needs no Go, and enters Go with its other
 * arguments. */
#include <inttypes.h>
#include <string.h>

#include "_cgo_export.h"
#include "enter.h"

/* Checks the options of opening and copies them; null ones are all zero. */
static resnext_status take_options(const char *function, const resnext_model_options *theirs, resnext_model_options *ours)
{
	resnext_status status = RESNEXT_OK;

	memset(ours, 0, sizeof *ours);
	if (theirs)
		status = resnextgo_take_struct(function, "options", theirs, MODEL_OPTIONS_FIRST, ours, sizeof *ours);
	if (status == RESNEXT_OK && ours->memory_limit > INT64_MAX)
		return resnextgo_refuse(function, RESNEXT_EINVAL, "options->memory_limit is %" PRIu64, ours->memory_limit);
	if (!ours->kernels)
		ours->kernels = "";
	return status;
}

resnext_status resnext_model_open(const char *path, const resnext_model_options *options, resnext_model **model)
{
	resnextgo_call call;
	resnext_model_options all;
	uintptr_t handle;

	NOT_NULL(path);
	NOT_NULL(model);
	resnext_status status = take_options(__func__, options, &all);
	if (status != RESNEXT_OK)
		return status;
	GO(resnextgo_model_open(&call.words, (char *)path, (char *)all.kernels, all.memory_limit, &handle));
	if (status == RESNEXT_OK)
		*model = (resnext_model *)handle;
	return status;
}

resnext_status resnext_model_open_memory(const void *data, size_t length, const resnext_model_options *options,
	resnext_model **model)
{
	resnextgo_call call;
	resnext_model_options all;
	uintptr_t handle;

	NOT_NULL(data);
	NOT_NULL(model);
	CHECK_LENGTH(length);
	resnext_status status = take_options(__func__, options, &all);
	if (status != RESNEXT_OK)
		return status;
	GO(resnextgo_model_open_memory(&call.words, (void *)data, length, (char *)all.kernels, all.memory_limit, &handle));
	if (status == RESNEXT_OK)
		*model = (resnext_model *)handle;
	return status;
}

resnext_status resnext_model_open_fd(int fd, const resnext_model_options *options, resnext_model **model)
{
	resnextgo_call call;
	resnext_model_options all;
	uintptr_t handle;

	NOT_NULL(model);
	if (fd < 0)
		return resnextgo_refuse(__func__, RESNEXT_EINVAL, "fd is %d", fd);
	resnext_status status = take_options(__func__, options, &all);
	if (status != RESNEXT_OK)
		return status;
	GO(resnextgo_model_open_fd(&call.words, fd, (char *)all.kernels, all.memory_limit, &handle));
	if (status == RESNEXT_OK)
		*model = (resnext_model *)handle;
	return status;
}

resnext_status resnext_model_get_info(const resnext_model *model, resnext_model_info *info)
{
	resnextgo_call call;
	resnext_status status;
	resnext_model_info all = {0};

	NOT_NULL(model);
	NOT_NULL(info);
	status = resnextgo_check_size(__func__, "info", info, MODEL_INFO_FIRST);
	if (status != RESNEXT_OK)
		return status;
	GO(resnextgo_model_get_info(&call.words, (uintptr_t)model, &all));
	if (status == RESNEXT_OK)
		resnextgo_give_struct(info, &all, sizeof all);
	return status;
}

resnext_status resnext_model_head(const resnext_model *model, int32_t *head)
{
	resnextgo_call call;
	resnext_status status;

	NOT_NULL(model);
	NOT_NULL(head);
	GO(resnextgo_model_head(&call.words, (uintptr_t)model, head));
	return status;
}

resnext_status resnext_model_features(const resnext_model *model, uint32_t *features)
{
	resnextgo_call call;
	resnext_status status;

	NOT_NULL(model);
	NOT_NULL(features);
	GO(resnextgo_model_features(&call.words, (uintptr_t)model, features));
	return status;
}

resnext_status resnext_model_label(const resnext_model *model, uint32_t class_index, const char **label)
{
	resnextgo_call call;
	resnext_status status;
	void *found;

	NOT_NULL(model);
	NOT_NULL(label);
	GO(resnextgo_model_label(&call.words, (uintptr_t)model, class_index, &found));
	if (status == RESNEXT_OK)
		*label = found;
	return status;
}

resnext_status resnext_model_close(resnext_model *model)
{
	resnextgo_call call;
	resnext_status status;

	if (!model)
		return RESNEXT_OK;
	GO(resnextgo_model_close(&call.words, (uintptr_t)model));
	return status;
}
