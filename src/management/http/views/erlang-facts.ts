// Fields that describe Erlang's runtime. Tools read them without asking what they mean here: the numbers are those of an idle process.

export const garbageCollection = {
  fullsweep_after: 65_535,
  max_heap_size: 0,
  min_bin_vheap_size: 46_422,
  min_heap_size: 233,
  minor_gcs: 0,
} as const;

export const noReductions = { reductions: 0, reductions_details: { rate: 0 } } as const;
