/**
 * Says in one sentence what an older Node would say in some method's error, much later.
 * @throws Error for a Node before 22.18, which is what package.json asks for
 */
export function assertNodeVersion(version: string): void {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (major < 22 || (major === 22 && minor < 18)) throw new Error(`WarrenMQ needs Node.js 22.18 or newer; this is ${version}`);
}
