-- How a workflow that was registered as JSON is served over MCP: 'tool', 'task', 'prompt'; null: by its name only. It is no part of
-- the version, as it does not change what runs.
alter table workflows add column expose text;
