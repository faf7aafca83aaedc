//! omnigen_agents
