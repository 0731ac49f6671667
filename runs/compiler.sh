#!/bin/sh
# What a GPU's compiler makes of our kernels, without that GPU: registers, how many
# did not fit, shared memory, instructions, and the cycles it reckons with, which
# compare two versions of a kernel. Words pick kernels that have one in their names.
#
#   sh runs/compiler.sh matmul
#   RADV_FORCE_FAMILY=vega10 sh runs/compiler.sh
#
# It needs Linux on x86-64, a C compiler, Vulkan's headers and Mesa's driver for
# AMD's GPUs: apt-get install gcc libvulkan-dev mesa-vulkan-drivers
set -eu
cd "$(dirname "$0")/.."

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cc -Wall -shared -fPIC -o "$work/libvulkan.so.1" bench/compiler/null_vulkan.c -ldl

export RADV_FORCE_FAMILY="${RADV_FORCE_FAMILY:-navi21}"
export RADV_DEBUG=shaderstats,nocache RADV_PERFTEST=cswave32
export VK_DRIVER_FILES=/usr/share/vulkan/icd.d/radeon_icd.x86_64.json
export VK_ICD_FILENAMES="$VK_DRIVER_FILES" DENO_WEBGPU_BACKEND=vulkan
REAL_VULKAN=/usr/lib/x86_64-linux-gnu/libvulkan.so.1 LD_LIBRARY_PATH="$work" \
  deno run --allow-read --allow-env bench/compiler/kernels.ts 2>"$work/log" || {
  tail -n 5 "$work/log" >&2
  exit 1
}
deno run --allow-read bench/compiler/report.ts "$work/log" "$@"
