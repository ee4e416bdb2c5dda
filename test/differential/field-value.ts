// Field values with their wire type, their text notation, and their bytes.
//
//   5  -7            int32 (I), or int64 (l) when it does not fit        true false   bool (t)       null   void (V)
//   "text" or word   long string (S); \xNN in quotes is a raw byte       [1, a]       array (A)      {k: v} table (F)
//   b:5 B:200 s:5 u:5 I:5 i:5 l:5 T:1700000000                           the integer types and the timestamp
//   f:1.5 d:1.5      float, double       D:2/314  decimal, scale/value   x:"bytes"    byte array     ?:"hex"  an unknown type's bytes

export type FieldValue =
  | { readonly type: 'b' | 'B' | 's' | 'u' | 'I' | 'i' | 'l' | 'T'; readonly value: bigint }
  | { readonly type: 'f' | 'd'; readonly value: number }
  | { readonly type: 'D'; readonly scale: number; readonly value: bigint }
  | { readonly type: 'S' | 'x'; readonly value: Buffer }
  | { readonly type: 't'; readonly value: boolean }
  | { readonly type: 'V' }
  | { readonly type: 'A'; readonly value: readonly FieldValue[] }
  | { readonly type: 'F'; readonly value: FieldTable };

export type FieldTable = readonly (readonly [key: Buffer, value: FieldValue])[];

const integerBytes = { b: 1, B: 1, s: 2, u: 2, I: 4, i: 4, l: 8, T: 8 } as const;
const signed = new Set(['b', 's', 'I', 'l']);

function integer(value: bigint, bytes: number): Buffer {
  const out = Buffer.alloc(8);
  out.writeBigUInt64BE(BigInt.asUintN(64, value));
  return out.subarray(8 - bytes);
}

function prefixed(bytes: Buffer): Buffer {
  return Buffer.concat([integer(BigInt(bytes.length), 4), bytes]);
}

/** A table with its four-byte length. */
export function encodeTable(table: FieldTable): Buffer {
  return prefixed(Buffer.concat(table.flatMap(([key, value]) => [Buffer.from([key.length]), key, encodeValue(value)])));
}

function encodeValue(field: FieldValue): Buffer {
  const tag = Buffer.from(field.type);
  switch (field.type) {
    case 'f': {
      const out = Buffer.alloc(4);
      out.writeFloatBE(field.value);
      return Buffer.concat([tag, out]);
    }
    case 'd': {
      const out = Buffer.alloc(8);
      out.writeDoubleBE(field.value);
      return Buffer.concat([tag, out]);
    }
    case 'D':
      return Buffer.concat([tag, Buffer.from([field.scale]), integer(field.value, 4)]);
    case 'S':
    case 'x':
      return Buffer.concat([tag, prefixed(field.value)]);
    case 't':
      return Buffer.concat([tag, Buffer.from([field.value ? 1 : 0])]);
    case 'V':
      return tag;
    case 'A':
      return Buffer.concat([tag, prefixed(Buffer.concat(field.value.map(encodeValue)))]);
    case 'F':
      return Buffer.concat([tag, encodeTable(field.value)]);
    default:
      return Buffer.concat([tag, integer(field.value, integerBytes[field.type])]);
  }
}

/** Reads the contents of a table (without its length). Throws RangeError on bytes that are no table. */
export function decodeTable(bytes: Buffer): FieldTable {
  const entries: [Buffer, FieldValue][] = [];
  let at = 0;
  while (at < bytes.length) {
    const keyBytes = bytes.readUInt8(at);
    const key = bytes.subarray(at + 1, at + 1 + keyBytes);
    const [value, next] = decodeValue(bytes, at + 1 + keyBytes);
    entries.push([key, value]);
    at = next;
  }
  return entries;
}

function decodeValue(bytes: Buffer, at: number): [FieldValue, number] {
  const type = String.fromCharCode(bytes.readUInt8(at));
  const start = at + 1;
  switch (type) {
    case 'b':
    case 'B':
    case 's':
    case 'u':
    case 'I':
    case 'i':
    case 'l':
    case 'T': {
      const size = integerBytes[type];
      let value = 0n;
      for (let i = 0; i < size; i++) value = (value << 8n) | BigInt(bytes.readUInt8(start + i));
      return [{ type, value: signed.has(type) ? BigInt.asIntN(size * 8, value) : value }, start + size];
    }
    case 'f':
      return [{ type, value: bytes.readFloatBE(start) }, start + 4];
    case 'd':
      return [{ type, value: bytes.readDoubleBE(start) }, start + 8];
    case 'D':
      return [{ type, scale: bytes.readUInt8(start), value: BigInt(bytes.readInt32BE(start + 1)) }, start + 5];
    case 't':
      return [{ type, value: bytes.readUInt8(start) !== 0 }, start + 1];
    case 'V':
      return [{ type }, start];
    case 'S':
    case 'x':
    case 'A':
    case 'F': {
      const end = start + 4 + bytes.readUInt32BE(start);
      if (end > bytes.length) throw new RangeError(`field of type ${type} is longer than its table`);
      const content = bytes.subarray(start + 4, end);
      if (type === 'S' || type === 'x') return [{ type, value: content }, end];
      if (type === 'F') return [{ type, value: decodeTable(content) }, end];
      const items: FieldValue[] = [];
      let next = 0;
      while (next < content.length) {
        const [item, after] = decodeValue(content, next);
        items.push(item);
        next = after;
      }
      return [{ type, value: items }, end];
    }
    default:
      throw new RangeError(`unknown field type ${JSON.stringify(type)}`);
  }
}

/** `word` as it is, everything else in quotes, with \xNN for bytes that are no readable UTF-8. */
export function printBytes(bytes: Buffer): string {
  const text = bytes.toString('utf8');
  const readable = Buffer.from(text, 'utf8').equals(bytes);
  if (readable && /^[A-Za-z_.#*/$@+-][A-Za-z0-9_.#*/$@+-]*$/.test(text) && !/^(true|false|null|-\d.*)$/.test(text)) return text;
  if (readable) return JSON.stringify(text).replace(/[\u007f-\u009f]/g, char => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);
  let out = '';
  for (const byte of bytes)
    out +=
      byte >= 0x20 && byte < 0x7f && byte !== 0x22 && byte !== 0x5c
        ? String.fromCharCode(byte)
        : `\\x${byte.toString(16).padStart(2, '0')}`;
  return `"${out}"`;
}

export function printTable(table: FieldTable): string {
  return `{${table.map(([key, value]) => `${printBytes(key)}: ${printValue(value)}`).join(', ')}}`;
}

function printValue(field: FieldValue): string {
  switch (field.type) {
    case 'I':
    case 't':
      return String(field.value);
    case 'l':
      return BigInt.asIntN(32, field.value) === field.value ? `l:${field.value}` : String(field.value);
    case 'D':
      return `D:${field.scale}/${field.value}`;
    case 'S':
      return printBytes(field.value);
    case 'x':
      return `x:${printBytes(field.value)}`;
    case 'V':
      return 'null';
    case 'A':
      return `[${field.value.map(printValue).join(', ')}]`;
    case 'F':
      return printTable(field.value);
    default:
      return `${field.type}:${field.value}`;
  }
}

/** A cursor over one line of a script. Every method throws SyntaxError with the place. */
export class TextReader {
  readonly text: string;
  at = 0;

  constructor(text: string) {
    this.text = text;
  }

  fail(what: string): never {
    throw new SyntaxError(`${what} at column ${this.at + 1} of: ${this.text}`);
  }

  skipSpaces(): void {
    while (this.text[this.at] === ' ') this.at++;
  }

  take(char: string): boolean {
    if (this.text[this.at] !== char) return false;
    this.at++;
    return true;
  }

  expect(char: string): void {
    if (!this.take(char)) this.fail(`expected ${char}`);
  }

  /** Takes characters while they match. */
  while(pattern: RegExp): string {
    const start = this.at;
    while (this.at < this.text.length && pattern.test(this.text[this.at] ?? '')) this.at++;
    return this.text.slice(start, this.at);
  }

  /** A quoted string with JSON's escapes and \xNN for raw bytes. */
  quoted(): Buffer {
    this.expect('"');
    const parts: Buffer[] = [];
    while (!this.take('"')) {
      if (this.at >= this.text.length) this.fail('unterminated string');
      if (!this.take('\\')) {
        parts.push(Buffer.from(this.while(/[^"\\]/), 'utf8'));
        continue;
      }
      const escape = this.text[this.at++] ?? '';
      const length = escape === 'x' ? 2 : escape === 'u' ? 4 : 0;
      const hex = this.text.slice(this.at, this.at + length);
      this.at += length;
      if (escape === 'x') parts.push(Buffer.from(hex, 'hex'));
      else parts.push(Buffer.from(JSON.parse(`"\\${escape}${hex}"`) as string, 'utf8'));
    }
    return Buffer.concat(parts);
  }

  value(): FieldValue {
    this.skipSpaces();
    const next = this.text[this.at];
    if (next === '"') return { type: 'S', value: this.quoted() };
    if (next === '{') return { type: 'F', value: this.table() };
    if (next === '[') return { type: 'A', value: this.array() };
    const typed = /^([bBsuIilTfdDSx]):/.exec(this.text.slice(this.at, this.at + 2));
    if (typed !== null) {
      this.at += 2;
      return this.typed(typed[1] ?? '');
    }
    const word = this.while(/[^\s,{}[\]]/);
    if (word === '') this.fail('expected a value');
    if (word === 'true' || word === 'false') return { type: 't', value: word === 'true' };
    if (word === 'null') return { type: 'V' };
    if (/^-?\d+$/.test(word)) {
      const value = BigInt(word);
      return { type: BigInt.asIntN(32, value) === value ? 'I' : 'l', value };
    }
    return { type: 'S', value: Buffer.from(word, 'utf8') };
  }

  private typed(type: string): FieldValue {
    if (type === 'S' || type === 'x')
      return { type, value: this.text[this.at] === '"' ? this.quoted() : Buffer.from(this.while(/[^\s,{}[\]]/)) };
    const word = this.while(/[^\s,{}[\]]/);
    if (type === 'f' || type === 'd') return { type, value: Number(word) };
    if (type === 'D') {
      const [scale = '0', value = '0'] = word.split('/');
      return { type, scale: Number(scale), value: BigInt(value) };
    }
    return { type: type as 'I', value: BigInt(word) };
  }

  private array(): FieldValue[] {
    this.expect('[');
    const items: FieldValue[] = [];
    for (;;) {
      this.skipSpaces();
      if (this.take(']')) return items;
      items.push(this.value());
      this.skipSpaces();
      if (!this.take(',') && this.text[this.at] !== ']') this.fail('expected , or ]');
    }
  }

  table(): FieldTable {
    this.expect('{');
    const entries: [Buffer, FieldValue][] = [];
    for (;;) {
      this.skipSpaces();
      if (this.take('}')) return entries;
      const key = this.text[this.at] === '"' ? this.quoted() : Buffer.from(this.while(/[^\s:,{}[\]]/), 'utf8');
      this.skipSpaces();
      this.expect(':');
      entries.push([key, this.value()]);
      this.skipSpaces();
      if (!this.take(',') && this.text[this.at] !== '}') this.fail('expected , or }');
    }
  }
}
