"""Every error code that an answer of ours can carry, with what it means; sorted by code."""

CODES: dict[str, str] = {
    "bad_definition": "The definition file cannot be applied; each entry of errors says where and why.",
    "bad_dtype": "The name is none of the dtypes, or the dtype is not allowed there.",
    "bad_duration": "A duration is written as a whole number and s, m, h or d, from 1s to 3650d.",
    "bad_json": "The body is not valid JSON (or YAML, where that is accepted).",
    "bad_name": "Lower case letters, digits and underscores, starting with a letter, at most 63 long.",
    "bad_value": "The value has the wrong type or lies outside what the contract allows.",
    "changed_meanwhile": "The thing changed since the version that If-Match names.",
    "conflict": "The state of the thing does not allow this now.",
    "forbidden": "The caller lacks the scope or the role that the message names.",
    "idempotency_key_in_use": "The first request with this Idempotency-Key is still at work; try again soon.",
    "idempotency_key_reused": "The Idempotency-Key came before with another body.",
    "internal": "Something went wrong on our side; the request id leads to the log.",
    "method_not_allowed": "The address exists, but not for this method.",
    "not_found": "There is no such thing, or the caller may not know of it.",
    "rate_limited": "Too many requests; Retry-After says when to try again.",
    "store_unavailable": "The online store does not answer; the message names store, operation and view.",
    "too_large": "The body, or a part of it, exceeds its limit.",
    "unauthenticated": "No valid token or session came with the request.",
    "unavailable": "Something that is needed does not answer right now.",
    "unsupported_media_type": "The Content-Type is none of those accepted here.",
}
