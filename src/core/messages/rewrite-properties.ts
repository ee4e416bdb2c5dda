import type { MessageFormat, PivotFormat, PropertyChanges } from '../ports/message-format.ts';
import type { Publication } from './publication.ts';

/**
 * Changes a publication's properties. The headers that the broker adds (x-death and its like) are tables that most formats have no place
 * for, so a message that is changed is in the pivot format from then on; its format tells all it says.
 */
export function rewriteProperties(p: Publication, format: MessageFormat, pivot: PivotFormat, changes: PropertyChanges): void {
  let { properties, propertiesStart, propertiesBytes } = p;
  if (format.tag !== pivot.tag) {
    properties = pivot.encode(format.describe(properties, propertiesStart, propertiesBytes));
    propertiesStart = 0;
    propertiesBytes = properties.length;
    p.format = pivot.tag;
  }
  p.properties = pivot.rewrite(properties, propertiesStart, propertiesBytes, changes);
  p.propertiesStart = 0;
  p.propertiesBytes = p.properties.length;
}
