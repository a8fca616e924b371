export function startDocker(say: (line: string) => void): Promise<void>
