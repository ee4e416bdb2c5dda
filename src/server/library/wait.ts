/** Rejects with the text that `describe` finds when the condition does not hold in time. Looks each time `subscribe` calls back, too. */
export async function waitFor(
  isMet: () => boolean,
  { timeoutMillis, describe, subscribe }: { timeoutMillis: number; describe: () => string; subscribe?: (check: () => void) => () => void },
): Promise<void> {
  if (isMet()) return;
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const check = (): void => {
    if (isMet()) resolve();
  };
  const unsubscribe = subscribe?.(check);
  const timer = setInterval(check, pollMillis);
  const deadline = setTimeout(() => reject(new Error(describe())), timeoutMillis);
  try {
    await promise;
  } finally {
    clearInterval(timer);
    clearTimeout(deadline);
    unsubscribe?.();
  }
}

const pollMillis = 5;
