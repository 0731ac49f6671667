/*
 * Stands in front of Vulkan's loader and lends Mesa's null hardware what wgpu asks
 * of a device before it compiles for it.
 *
 * With RADV_FORCE_FAMILY in the environment Mesa's driver for AMD's GPUs compiles
 * for a GPU that is not there. It has no memory and no semaphores that count, which
 * are made up here, and runs nothing: commands are dropped, and a submission is done
 * as soon as it is made. Everything else, compiling above all, is the driver's.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <vulkan/vulkan.h>

#define MEMORY (64ull << 30)
#define MOST 65536

typedef PFN_vkVoidFunction Function;

static PFN_vkGetInstanceProcAddr find_real;
static PFN_vkGetDeviceProcAddr find_device_real;

/* Memory ---------------------------------------------------------------------- */

static void describe(VkPhysicalDeviceMemoryProperties *memory) {
  memset(memory, 0, sizeof *memory);
  memory->memoryHeapCount = memory->memoryTypeCount = 1;
  memory->memoryHeaps[0].size = MEMORY;
  memory->memoryHeaps[0].flags = VK_MEMORY_HEAP_DEVICE_LOCAL_BIT;
  memory->memoryTypes[0].propertyFlags =
      VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT | VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT |
      VK_MEMORY_PROPERTY_HOST_COHERENT_BIT | VK_MEMORY_PROPERTY_HOST_CACHED_BIT;
}

static void memory_properties(VkPhysicalDevice gpu,
                              VkPhysicalDeviceMemoryProperties *memory) {
  describe(memory);
}

static void memory_properties_2(VkPhysicalDevice gpu,
                                VkPhysicalDeviceMemoryProperties2 *memory) {
  describe(&memory->memoryProperties);
  for (VkBaseOutStructure *next = memory->pNext; next; next = next->pNext) {
    if (next->sType !=
        VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MEMORY_BUDGET_PROPERTIES_EXT)
      continue;
    VkPhysicalDeviceMemoryBudgetPropertiesEXT *budget = (void *)next;
    memset(budget->heapUsage, 0, sizeof budget->heapUsage);
    memset(budget->heapBudget, 0, sizeof budget->heapBudget);
    budget->heapBudget[0] = MEMORY;
  }
}

static PFN_vkGetBufferMemoryRequirements buffer_needs_real;
static void buffer_needs(VkDevice device, VkBuffer buffer,
                         VkMemoryRequirements *needs) {
  buffer_needs_real(device, buffer, needs);
  needs->memoryTypeBits = 1;
}

static PFN_vkGetImageMemoryRequirements image_needs_real;
static void image_needs(VkDevice device, VkImage image,
                        VkMemoryRequirements *needs) {
  image_needs_real(device, image, needs);
  needs->memoryTypeBits = 1;
}

static struct {
  VkDeviceMemory memory;
  VkDeviceSize bytes;
  char *mapped;
} allocated[MOST];
static unsigned allocations;

static PFN_vkAllocateMemory allocate_real;
static VkResult allocate(VkDevice device, const VkMemoryAllocateInfo *info,
                         const VkAllocationCallbacks *callbacks,
                         VkDeviceMemory *memory) {
  if (allocations == MOST) return VK_ERROR_OUT_OF_DEVICE_MEMORY;
  VkResult result = allocate_real(device, info, callbacks, memory);
  if (result == VK_SUCCESS) {
    allocated[allocations].memory = *memory;
    allocated[allocations++].bytes = info->allocationSize;
  }
  return result;
}

static VkResult map(VkDevice device, VkDeviceMemory memory, VkDeviceSize offset,
                    VkDeviceSize bytes, VkMemoryMapFlags flags, void **data) {
  for (unsigned i = allocations; i-- > 0;) {
    if (allocated[i].memory != memory) continue;
    if (allocated[i].mapped == NULL)
      allocated[i].mapped = calloc(1, allocated[i].bytes);
    *data = allocated[i].mapped + offset;
    return VK_SUCCESS;
  }
  return VK_ERROR_MEMORY_MAP_FAILED;
}

/* Semaphores and fences, which are numbers ------------------------------------ */

static uint64_t counters[MOST];
static uintptr_t made;

static VkResult make_semaphore(VkDevice device, const VkSemaphoreCreateInfo *info,
                               const VkAllocationCallbacks *callbacks,
                               VkSemaphore *semaphore) {
  if (made + 1 == MOST) return VK_ERROR_OUT_OF_HOST_MEMORY;
  *semaphore = (VkSemaphore)++made;
  return VK_SUCCESS;
}

static VkResult make_fence(VkDevice device, const VkFenceCreateInfo *info,
                           const VkAllocationCallbacks *callbacks, VkFence *fence) {
  *fence = (VkFence)(uintptr_t)1;
  return VK_SUCCESS;
}

static VkResult counter_of(VkDevice device, VkSemaphore semaphore,
                           uint64_t *value) {
  *value = counters[(uintptr_t)semaphore];
  return VK_SUCCESS;
}

static VkResult submit(VkQueue queue, uint32_t count, const VkSubmitInfo *infos,
                       VkFence fence) {
  for (const VkSubmitInfo *info = infos; info < infos + count; info++) {
    for (const VkBaseInStructure *next = info->pNext; next; next = next->pNext) {
      if (next->sType != VK_STRUCTURE_TYPE_TIMELINE_SEMAPHORE_SUBMIT_INFO)
        continue;
      const VkTimelineSemaphoreSubmitInfo *values = (const void *)next;
      for (uint32_t i = 0; i < values->signalSemaphoreValueCount; i++)
        counters[(uintptr_t)info->pSignalSemaphores[i]] =
            values->pSignalSemaphoreValues[i];
    }
  }
  return VK_SUCCESS;
}

/** Does nothing, with success. */
static uint64_t nothing(void) { return 0; }

/* Which function stands for which --------------------------------------------- */

static const char *dropped[] = {
    "vkBeginCommandBuffer", "vkEndCommandBuffer", "vkResetCommandPool",
    "vkDestroySemaphore",   "vkWaitSemaphores",   "vkDestroyFence",
    "vkResetFences",        "vkWaitForFences",    "vkGetFenceStatus",
};

static Function find_device(VkDevice device, const char *name) {
  Function real = find_device_real(device, name);
  if (real == NULL) return NULL;
  if (strncmp(name, "vkCmd", 5) == 0) return (Function)nothing;
  for (unsigned i = 0; i < sizeof dropped / sizeof *dropped; i++)
    if (strcmp(name, dropped[i]) == 0) return (Function)nothing;
#define REPLACE(vulkan, ours) \
  if (strcmp(name, vulkan) == 0) return (Function)ours
#define WRAP(vulkan, ours)           \
  if (strcmp(name, vulkan) == 0) {   \
    ours##_real = (void *)real;      \
    return (Function)ours;           \
  }
  REPLACE("vkCreateSemaphore", make_semaphore);
  REPLACE("vkGetSemaphoreCounterValue", counter_of);
  REPLACE("vkCreateFence", make_fence);
  REPLACE("vkQueueSubmit", submit);
  REPLACE("vkMapMemory", map);
  WRAP("vkAllocateMemory", allocate);
  WRAP("vkGetBufferMemoryRequirements", buffer_needs);
  WRAP("vkGetImageMemoryRequirements", image_needs);
  return real;
}

VKAPI_ATTR Function VKAPI_CALL vkGetInstanceProcAddr(VkInstance instance,
                                                     const char *name) {
  if (find_real == NULL) {
    /* A file of the same name, so by its place. */
    void *loader = dlopen(getenv("REAL_VULKAN"), RTLD_NOW);
    if (loader != NULL) find_real = (void *)dlsym(loader, "vkGetInstanceProcAddr");
    if (find_real == NULL) return NULL;
  }
  Function real = find_real(instance, name);
  if (real == NULL) return NULL;
  if (strcmp(name, "vkGetDeviceProcAddr") == 0) {
    find_device_real = (void *)real;
    return (Function)find_device;
  }
  REPLACE("vkGetPhysicalDeviceMemoryProperties", memory_properties);
  REPLACE("vkGetPhysicalDeviceMemoryProperties2", memory_properties_2);
  REPLACE("vkGetPhysicalDeviceMemoryProperties2KHR", memory_properties_2);
  return real;
}
