% A decision of DTProbLog.
%
% Expected error: UnsupportedConstructError
% at 7:1
% says ?::umbrella is a decision of DTProbLog

?::umbrella.
query(umbrella).
