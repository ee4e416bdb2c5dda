// Most patterns people write are '.*', '^$', a name or a prefix. They need no regular expression engine.

/** ^ | text, with \. and the like for its special characters | .* | $ */
const literalForm = /^(\^|\\A|\.\*)?((?:[^\\^$.|?*+()[\]{}]|\\[^A-Za-z0-9])*)(\.\*)?(\$|\\z)?$/su;

/** A test equal to the expression's search, or null if the expression is not of a literal form. */
export function literalTest(source: string): ((text: string) => boolean) | null {
  const match = literalForm.exec(source);
  if (match === null) return null;
  const fromStart = match[1] === '^' || match[1] === '\\A';
  const text = (match[2] ?? '').replace(/\\(.)/gsu, '$1');
  const hasRest = match[3] !== undefined;
  const toEnd = match[4] !== undefined;
  if (fromStart && toEnd)
    return hasRest ? subject => subject.startsWith(text) && isOneLine(subject, text.length) : subject => subject === text;
  if (fromStart) return text === '' ? always : subject => subject.startsWith(text);
  if (text === '') return always; // a search for nothing succeeds at the end of any text, whatever follows
  if (toEnd && hasRest) {
    return subject => {
      const at = subject.lastIndexOf(text);
      return at !== -1 && isOneLine(subject, at + text.length);
    };
  }
  return toEnd ? subject => subject.endsWith(text) : subject => subject.includes(text);
}

function always(): boolean {
  return true;
}

/** A dot does not match a line feed. */
function isOneLine(subject: string, from: number): boolean {
  return !subject.includes('\n', from);
}
