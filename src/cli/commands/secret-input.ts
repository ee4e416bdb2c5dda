import { CliError, exitCodes } from '../cli-error.ts';

/** The password of an argument, or else of a line of standard input, so that it need not stand in the list of processes. */
export async function passwordOf(given: string | undefined): Promise<string> {
  if (given !== undefined) return given;
  const { stdin } = process;
  if (stdin.isTTY) process.stdout.write('Password: ');
  const text = stdin.isTTY ? await hiddenLine() : await firstLine();
  if (text === '') throw new CliError('Password is not provided via argument or stdin', exitCodes.data);
  return text;
}

async function firstLine(): Promise<string> {
  let text = '';
  for await (const chunk of process.stdin.setEncoding('utf8')) {
    text += String(chunk);
    if (text.includes('\n')) break;
  }
  return text.split(/\r?\n/)[0] ?? '';
}

/** A line of the terminal that is not shown. */
function hiddenLine(): Promise<string> {
  const { stdin } = process;
  stdin.setRawMode(true);
  stdin.setEncoding('utf8');
  return new Promise(resolve => {
    let text = '';
    const onData = (data: string): void => {
      for (const character of data) {
        if (character === '\r' || character === '\n' || character === '\u0004' || character === '\u0003') {
          stdin.setRawMode(false);
          stdin.off('data', onData);
          stdin.pause();
          process.stdout.write('\n');
          resolve(character === '\u0003' ? '' : text);
          return;
        }
        text = character === '\u007f' ? text.slice(0, -1) : text + character;
      }
    };
    stdin.on('data', onData);
  });
}
