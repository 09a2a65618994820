/** Figures come from the server with names of tokens for colours; here the values of the theme go in. */

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

const TOKEN = /^var\((--[\w-]+)\)$/;

/** Returns a copy of `value` with every `var(--token)` replaced by what `resolve` gives for it. */
export function withColours(value: Json, resolve: (token: string) => string): Json {
  if (typeof value === "string") {
    const found = TOKEN.exec(value);
    return found ? resolve(found[1]!) : value;
  }
  if (Array.isArray(value)) return value.map((each) => withColours(each, resolve));
  if (value !== null && typeof value === "object") {
    return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, withColours(each, resolve)]));
  }
  return value;
}
