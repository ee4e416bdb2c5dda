import { type Area, ignoredKey, key, optionalKey } from '../key.ts';
import { decimal } from '../value-type.ts';
import { informationUnits, milliseconds } from '../value-units.ts';

export const MEMORY = {
  relative: key('vm_memory_high_watermark.relative', decimal(0), '0.6', 'Block publishers above this part of the available memory.'),
  absolute: optionalKey(
    'vm_memory_high_watermark.absolute',
    informationUnits(0),
    'Block publishers above this many bytes; goes before the relative key.',
  ),
  totalOverride: optionalKey(
    'total_memory_available_override_value',
    informationUnits(1),
    "Available memory, where the machine's own answer is wrong.",
    {
      defaultText: 'the smaller of RAM and the cgroup limit',
    },
  ),
  interval: key('memory_monitor_interval', milliseconds(100, 3_600_000), '1000', 'How often memory is looked at.'),
};

export const DISK = {
  absolute: key(
    'disk_free_limit.absolute',
    informationUnits(0),
    '50MB',
    'Block publishers when less than this is free on the disk of the data directory; goes before the relative key.',
  ),
  relative: optionalKey('disk_free_limit.relative', decimal(0), 'The same as a multiple of the available memory.'),
};

export const MEMORY_AREA: Area = {
  title: 'Memory and disk alarms',
  introduction: 'Above the memory watermark, or below the free disk space, publishers are blocked until it is over; consumers go on.',
  keys: [
    ...Object.values(MEMORY),
    ...Object.values(DISK),
    ignoredKey(
      'vm_memory_high_watermark_paging_ratio',
      'messages are written to disk as they come and leave memory within a budget, not at a ratio',
    ),
    ignoredKey('vm_memory_calculation_strategy', 'memory is always the resident set (rss)'),
  ],
};
