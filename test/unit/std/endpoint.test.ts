import { describe, expect, it } from "vitest";
import { formatEndpoint, parseEndpoint } from "../../../src/std/endpoint.ts";

describe("an endpoint", () => {
  it.each([
    ["127.0.0.1:15010", { host: "127.0.0.1", port: 15010 }],
    ["[::1]:0", { host: "::1", port: 0 }],
    ["weft-controller.weft-system.svc:65535", { host: "weft-controller.weft-system.svc", port: 65535 }],
  ])("is read from %s and written so", (text, endpoint) => {
    expect(parseEndpoint(text)).toEqual(endpoint);
    expect(formatEndpoint(endpoint)).toBe(text);
  });

  it.each(["", "host", "host:", ":80", "::1:80", "[::1]", "host:65536", "host:1e3", "http://host:80", "host:80/"])("is not read from '%s'", (text) => {
    expect(parseEndpoint(text)).toBeUndefined();
  });
});
