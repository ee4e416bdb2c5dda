export default async function stop() {
  await globalThis.broker.stop();
}
