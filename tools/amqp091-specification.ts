// Reads spec/: the AMQP 0-9-1 XML and our extensions, as one list of constants and classes.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Constant {
  readonly name: string;
  readonly value: number;
  readonly class?: string;
}

export type WireType = 'bit' | 'octet' | 'short' | 'long' | 'longlong' | 'shortstr' | 'longstr' | 'timestamp' | 'table';

export interface SpecField {
  readonly name: string;
  readonly type: WireType;
  /** Skipped when decoding and written as zero. */
  readonly isReserved: boolean;
}

export interface SpecMethod {
  readonly name: string;
  readonly index: number;
  readonly hasContent: boolean;
  readonly fields: SpecField[];
}

export interface SpecClass {
  readonly name: string;
  readonly index: number;
  readonly properties: SpecField[];
  readonly methods: SpecMethod[];
}

export interface Specification {
  readonly constants: Constant[];
  readonly classes: SpecClass[];
}

interface Extensions {
  constants: Constant[];
  renamed: Record<string, string>;
  classes: { name: string; index: number; methods: { name: string; index: number; fields: { name: string; domain: WireType }[] }[] }[];
}

/** The file is flat enough for this: start and end tags with quoted attributes, no text, no entities. */
function* tags(xml: string): Generator<{ name: string; attributes: Record<string, string>; isEnd: boolean; isEmpty: boolean }> {
  const withoutComments = xml.replace(/<!--[\s\S]*?-->/g, '');
  for (const [, slash, name = '', rest = '', empty] of withoutComments.matchAll(/<(\/?)([a-z]+)((?:\s+[a-z-]+="[^"]*")*)\s*(\/?)>/g)) {
    const attributes = Object.fromEntries(Array.from(rest.matchAll(/([a-z-]+)="([^"]*)"/g), ([, key, value]) => [key, value]));
    yield { name, attributes, isEnd: slash === '/', isEmpty: empty === '/' };
  }
}

/** The specification in the folder, classes and methods in order of their ids. */
export function readSpecification(folder: string): Specification {
  const xml = readFileSync(join(folder, 'amqp0-9-1.stripped.extended.xml'), 'utf8');
  const extensions = JSON.parse(readFileSync(join(folder, 'amqp0-9-1.extensions.json'), 'utf8')) as Extensions;
  const constants: Constant[] = [];
  const domains = new Map<string, WireType>();
  const classes: SpecClass[] = [];
  let method: SpecMethod | null = null;
  for (const { name, attributes, isEnd, isEmpty } of tags(xml)) {
    const current = classes.at(-1);
    if (isEnd) {
      if (name === 'method') method = null;
    } else if (name === 'constant') {
      constants.push({ name: attributes.name ?? '', value: Number(attributes.value), class: attributes.class });
    } else if (name === 'domain') {
      domains.set(attributes.name ?? '', attributes.type as WireType);
    } else if (name === 'class') {
      classes.push({ name: attributes.name ?? '', index: Number(attributes.index), properties: [], methods: [] });
    } else if (name === 'method' && current !== undefined) {
      method = { name: attributes.name ?? '', index: Number(attributes.index), hasContent: attributes.content === '1', fields: [] };
      current.methods.push(method);
      if (isEmpty) method = null;
    } else if (name === 'field' && current !== undefined) {
      const original = attributes.name ?? '';
      const type = domains.get(attributes.domain ?? '') ?? (attributes.type as WireType | undefined);
      if (type === undefined) throw new Error(`${current.name}: field ${original} has no type`);
      const field: SpecField = {
        name: extensions.renamed[`${current.name}.${original}`] ?? extensions.renamed[original] ?? original,
        type,
        isReserved: attributes.reserved === '1',
      };
      (method === null ? current.properties : method.fields).push(field);
    }
  }
  for (const extension of extensions.classes) {
    let target = classes.find(candidate => candidate.index === extension.index);
    if (target === undefined) {
      target = { name: extension.name, index: extension.index, properties: [], methods: [] };
      classes.push(target);
    }
    for (const { name, index, fields } of extension.methods) {
      target.methods.push({
        name,
        index,
        hasContent: false,
        fields: fields.map(field => ({ name: field.name, type: field.domain, isReserved: false })),
      });
    }
  }
  classes.sort((a, b) => a.index - b.index);
  for (const each of classes) each.methods.sort((a, b) => a.index - b.index);
  return { constants: [...constants, ...extensions.constants], classes };
}
