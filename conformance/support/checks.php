<?php
// Named checks, reported as TAP lines (see tap.ts). Used by the PHP client's programs.
//
//   check('a queue can be declared', function () { ... });
//   run_checks();
//
// An argument on the command line runs only the checks whose name contains it.

const CHECK_SECONDS_MAX = 30;

$checks = [];

function check(string $name, callable $action): void
{
    global $checks;
    $checks[] = [$name, $action];
}

/** A name that no other run uses, so that runs can share a broker. */
function unique(string $label): string
{
    return "conformance.$label." . bin2hex(random_bytes(6));
}

function equal($actual, $expected, string $what = 'value'): void
{
    if ($actual !== $expected) {
        throw new RuntimeException("$what is " . json_encode($actual) . ', expected ' . json_encode($expected));
    }
}

/** Polls until the condition gives something true, which is returned. */
function eventually(callable $condition, string $what = 'the condition', float $seconds = 10)
{
    $deadline = microtime(true) + $seconds;
    while (true) {
        $value = $condition();
        if ($value) {
            return $value;
        }
        if (microtime(true) > $deadline) {
            throw new RuntimeException("waited $seconds s for $what");
        }
        usleep(10000);
    }
}

function run_checks(): void
{
    global $checks, $argv;
    pcntl_async_signals(true);
    pcntl_signal(SIGALRM, function () {
        throw new RuntimeException('the check had not ended after ' . CHECK_SECONDS_MAX . ' s');
    });
    $wanted = $argv[1] ?? '';
    $selected = array_values(array_filter($checks, fn ($one) => $wanted === '' || str_contains($one[0], $wanted)));
    echo '1..' . count($selected) . "\n";
    $failed = 0;
    foreach ($selected as $index => [$name, $action]) {
        echo "# begin $name\n";
        pcntl_alarm(CHECK_SECONDS_MAX);
        try {
            $action();
            echo 'ok ' . ($index + 1) . " - $name\n";
        } catch (Throwable $error) {
            $failed += 1;
            echo 'not ok ' . ($index + 1) . " - $name\n";
            foreach (explode("\n", get_class($error) . ': ' . $error->getMessage() . "\n" . $error->getTraceAsString()) as $line) {
                echo "# $line\n";
            }
        }
        pcntl_alarm(0);
    }
    exit($failed === 0 ? 0 : 1);
}
