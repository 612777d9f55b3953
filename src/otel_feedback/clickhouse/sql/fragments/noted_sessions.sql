(SELECT Id FROM deletions WHERE Run IN {runs:Array(String)} AND Kind = 'session')
