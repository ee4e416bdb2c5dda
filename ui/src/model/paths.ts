import { path } from './api.ts';
import { chosenVhost } from './session.ts';

/** A list of the API, narrowed to the chosen virtual host. */
export function scoped(list: 'queues' | 'exchanges' | 'bindings' | 'consumers' | 'policies' | 'operator-policies'): string {
  return chosenVhost.value === '' ? list : `${list}/${encodeURIComponent(chosenVhost.value)}`;
}

/** Connections and channels are below their virtual host. */
export function scopedTraffic(list: 'connections' | 'channels'): string {
  return chosenVhost.value === '' ? list : path`vhosts/${chosenVhost.value}/` + list;
}
