# The program that people talk to: reads lines, answers each, ends at "exit" or at the end of its input.
echo 'Hello, I am {{name}}. Say something; "exit" leaves.'
while read -r said; do
  case $said in
    exit) break ;;
    '') ;;
    *) printf 'You said: %s\n' "$said" ;;
  esac
done
echo 'Goodbye.'
