// A reporter for node:test that names the files with failed tests, one a line.
export default async function* failedFiles(events) {
  const files = new Set();
  for await (const event of events)
    if (event.type === 'test:fail' && event.data.todo === undefined && event.data.file !== undefined) files.add(event.data.file);
  for (const file of files) yield `${file}\n`;
}
