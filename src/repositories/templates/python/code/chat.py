# The program that people talk to: reads lines, answers each, ends at "exit" or at the end of its input.
import sys

sys.stdin.reconfigure(encoding="utf-8", errors="replace")
sys.stdout.reconfigure(encoding="utf-8")
print('Hello, I am {{name}}. Say something; "exit" leaves.', flush=True)
for line in sys.stdin:
    said = line.strip()
    if said == "exit":
        break
    if said != "":
        print("You said: " + said, flush=True)
print("Goodbye.")
