import type { MessageRef } from './message-ref.ts';
import type { MessageStore } from './message-store.ts';
import type { Publication } from './publication.ts';

/**
 * Makes `p` the publication of a stored message, which must be resident: its bytes are those of the store, to be used at once. What is not
 * stored (persistence, priority, time to live, origin) is for the caller to say.
 */
export function fillFromStore(store: MessageStore, ref: MessageRef, p: Publication): void {
  store.locate(ref);
  const { loose } = store;
  p.envelope = loose === null ? store.bytes : loose.envelope;
  p.envelopeStart = loose === null ? store.envelopeStart : 0;
  p.envelopeBytes = store.envelopeBytes;
  p.properties = loose === null ? store.bytes : loose.properties;
  p.propertiesStart = loose === null ? store.propertiesStart : 0;
  p.propertiesBytes = store.propertiesBytes;
  p.format = store.format;
  p.bodyBytes = store.bodyBytes;
  if (loose === null) {
    p.body = store.bytes;
    p.bodyStart = store.bodyStart;
    p.large = null;
  } else {
    p.large = loose.body;
  }
}
