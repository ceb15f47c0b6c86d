/** What the agent needs of a logger; pino's fits. */
export interface AgentLogger {
  info(facts: object, message: string): void;
  warn(facts: object, message: string): void;
}
