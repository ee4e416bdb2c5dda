# Named checks, reported as TAP lines (see tap.ts). Used by the Ruby client's programs.
#
#   check('a queue can be declared') { ... }
#   Checks.run
#
# An argument on the command line runs only the checks whose name contains it.

require 'securerandom'
require 'timeout'

module Checks
  SECONDS_MAX = 30
  LIST = []

  def self.run
    $stdout.sync = true
    selected = LIST.select { |name, _| name.include?(ARGV[0] || '') }
    puts "1..#{selected.length}"
    failed = 0
    selected.each.with_index(1) do |(name, block), number|
      puts "# begin #{name}"
      begin
        Timeout.timeout(SECONDS_MAX) { block.call }
        puts "ok #{number} - #{name}"
      rescue Exception => error # a client's own errors derive from anything
        failed += 1
        puts "not ok #{number} - #{name}"
        "#{error.class}: #{error.message}\n#{(error.backtrace || []).first(12).join("\n")}".each_line { |line| puts "# #{line.chomp}" }
      end
    end
    exit!(failed.zero? ? 0 : 1) # a client's background threads must not keep a finished run alive
  end
end

def check(name, &block)
  Checks::LIST << [name, block]
end

# A name that no other run uses, so that runs can share a broker.
def unique(label)
  "conformance.#{label}.#{SecureRandom.hex(6)}"
end

def equal(actual, expected, what = 'value')
  raise "#{what} is #{actual.inspect}, expected #{expected.inspect}" unless actual == expected
end

# Polls until the block gives something true, which is returned.
def eventually(what = 'the condition', seconds = 10)
  deadline = Process.clock_gettime(Process::CLOCK_MONOTONIC) + seconds
  loop do
    value = yield
    return value if value
    raise "waited #{seconds} s for #{what}" if Process.clock_gettime(Process::CLOCK_MONOTONIC) > deadline

    sleep 0.01
  end
end
